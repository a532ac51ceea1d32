//! Which servers take the place of the embedded parts: the same words for every command that needs them.

use std::path::PathBuf;

use clap::Args;

/// Servers; without them everything is in the folder.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Servers {
    /// Brokers of Apache Kafka that keep the log, as host:port,host:port
    #[arg(long, env = "HEADWAY_KAFKA", value_name = "BROKERS")]
    pub(crate) kafka: Option<String>,
    /// Redis that keeps the vectors: redis://, rediss://, redis+cluster:// or redis+sentinel://
    #[arg(long, env = "HEADWAY_REDIS", value_name = "URL", hide_env_values = true)]
    pub(crate) redis: Option<String>,
    /// Schema registry for topics in Avro or Protobuf: http:// or https://, with the path of its API if there is one
    #[arg(long, env = "HEADWAY_REGISTRY", value_name = "URL")]
    pub(crate) registry: Option<String>,
    /// A file with more about these servers: encryption, users, names (see docs/reference/servers.md)
    #[arg(long, env = "HEADWAY_SERVERS_FILE", value_name = "FILE")]
    pub(crate) servers: Option<PathBuf>,
}
