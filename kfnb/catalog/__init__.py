"""What is recorded beside runs: databases of records, and the index of what was made of what.

The index has ML Metadata's words: an execution takes and makes artifacts (its input and output events) in a context, a
run. It is derived from the records that the nouns keep, and can be deleted at any time.
"""
