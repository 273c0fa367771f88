import sys

from rehab_ingest.main import main

sys.exit(main())
