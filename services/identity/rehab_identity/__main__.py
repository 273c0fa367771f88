import sys

from rehab_identity.main import main

sys.exit(main())
