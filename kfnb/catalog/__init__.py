"""The catalog: an index of what was made of what, derived from the records that the nouns keep.

Its words are ML Metadata's: an execution takes and makes artifacts (its input and output events) in a context, a run.
The index can be deleted at any time: it is made again from the records.
"""
