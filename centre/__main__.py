"""`python -m centre`"""

import sys

from centre.command_line import main

sys.exit(main())
