"""Pacing: how long each resource takes, so that progress can be watched."""

import zlib

# How long a type takes beside an ordinary one. The first prefix that fits decides.
WEIGHTS = (
    ("AWS::RDS::", 3.0),
    ("AWS::ElastiCache::", 3.0),
    ("AWS::CloudFront::Distribution", 3.0),
    ("AWS::EKS::", 3.0),
    ("AWS::OpenSearchService::", 3.0),
    ("AWS::Redshift::", 3.0),
    ("AWS::EC2::NatGateway", 2.0),
    ("AWS::ECS::Service", 2.0),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 2.0),
    ("AWS::AutoScaling::AutoScalingGroup", 2.0),
    ("AWS::CloudFormation::WaitConditionHandle", 0.2),
    ("AWS::Logs::", 0.5),
    ("AWS::SSM::", 0.5),
)
DELETING = 0.6
SPREAD = 0.2


def seconds_for(pace: float, operation: str, type_name: str, stack_name: str, logical_id: str) -> float:
    """How long this resource takes: the pace, weighed by type, and spread a little but the same on every run."""
    weight = next((weight for prefix, weight in WEIGHTS if type_name.startswith(prefix)), 1.0)
    share = zlib.crc32(f"{stack_name}/{logical_id}".encode()) / 0xFFFFFFFF
    spread = 1 + SPREAD * (2 * share - 1)
    return pace * weight * spread * (DELETING if operation == "delete" else 1.0)
