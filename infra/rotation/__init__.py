"""What runs on AWS Lambda, on its own Python and boto3 alone, to rotate the secrets of a stack."""
