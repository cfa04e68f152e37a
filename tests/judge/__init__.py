"""Microsoft's own parser as the judge of our T-SQL.

`judge.cs` is the parser's command line, `netstandard.cs` lets it run on Debian's smallest mono,
`requirements.txt` pins where the parser comes from, `parser.py` is the door for tests.
`python -m tests.judge DIRECTORY` judges what the product sent in a whole run of the tests.
"""
