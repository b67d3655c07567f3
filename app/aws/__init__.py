"""The cloud: plain functions over boto3 clients. Nobody else imports boto3 or botocore."""
