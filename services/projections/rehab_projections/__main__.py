import sys

from rehab_projections.main import main

sys.exit(main())
