import sys

from rehab_eventstore.main import main

sys.exit(main())
