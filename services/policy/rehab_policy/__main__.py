import sys

from rehab_policy.main import main

sys.exit(main())
