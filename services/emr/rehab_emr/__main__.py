import sys

from rehab_emr.main import main

sys.exit(main())
