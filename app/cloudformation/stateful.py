"""Which resource types hold data that is lost with them."""

# Types whose deletion or replacement loses what people stored, unless a retention policy or a snapshot saves it.
# Queues and streams are in: messages on their way are data too.
# fmt: off
_HOLDS_DATA = frozenset([
    "AWS::Backup::BackupVault", "AWS::Cassandra::Keyspace", "AWS::Cassandra::Table", "AWS::CodeArtifact::Repository",
    "AWS::CodeCommit::Repository", "AWS::Cognito::IdentityPool", "AWS::Cognito::UserPool", "AWS::DAX::Cluster",
    "AWS::DMS::ReplicationInstance", "AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance", "AWS::DocDBElastic::Cluster",
    "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::Volume", "AWS::ECR::PublicRepository",
    "AWS::ECR::Repository", "AWS::EFS::FileSystem", "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache", "AWS::Elasticsearch::Domain",
    "AWS::FSx::FileSystem", "AWS::FSx::Volume", "AWS::Glue::Database", "AWS::Glue::Table", "AWS::IoTSiteWise::Asset",
    "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Kendra::Index", "AWS::Kinesis::Stream",
    "AWS::KinesisVideo::Stream", "AWS::Lightsail::Bucket", "AWS::Lightsail::Database", "AWS::Logs::LogGroup",
    "AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::MemoryDB::Cluster", "AWS::Neptune::DBCluster",
    "AWS::Neptune::DBInstance", "AWS::NeptuneGraph::Graph", "AWS::OpenSearchServerless::Collection",
    "AWS::OpenSearchService::Domain", "AWS::QLDB::Ledger", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster", "AWS::Redshift::Cluster", "AWS::RedshiftServerless::Namespace", "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket", "AWS::S3Tables::Table", "AWS::S3Tables::TableBucket",
    "AWS::SDB::Domain", "AWS::SQS::Queue", "AWS::SageMaker::FeatureGroup", "AWS::SecretsManager::Secret",
    "AWS::Serverless::SimpleTable", "AWS::Timestream::Database", "AWS::Timestream::InfluxDBInstance",
    "AWS::Timestream::Table", "AWS::Workspaces::Workspace", "AWS::AmazonMQ::Broker", "AWS::Cloud9::EnvironmentEC2",
])
# fmt: on
_LOWER = frozenset(name.lower() for name in _HOLDS_DATA)


def holds_data(resource_type: str) -> bool:
    """Tell whether deleting or replacing a resource of this type loses data."""
    return resource_type.lower() in _LOWER
