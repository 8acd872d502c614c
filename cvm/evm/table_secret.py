"""What nobody outside knows of the process's hash tables: numbers drawn once, when it starts.

Python has such a secret for its dictionaries. It decides where tables keep things, and nothing that
a block shows.
"""

from os import urandom

from cvm.evm.native.layout import HASH_KEY_COUNT

TABLE_SECRET = urandom(8 * HASH_KEY_COUNT)
