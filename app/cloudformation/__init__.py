"""Everything Slipway can tell about a CloudFormation template without asking AWS.

Pure functions over text and dictionaries: no network, no files, no Flask, no boto3. A template that nobody annotated
for Slipway gives a form, checked answers, an outline of what will be created and a comparison with another version.
"""
