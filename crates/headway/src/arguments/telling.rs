//! What a running Headway tells about itself, and to whom.

use clap::Args;

use crate::http::Listen;

/// Arguments about telemetry.
#[derive(Args, Debug)]
pub(crate) struct Telling {
    /// Where quotes, /metrics, /livez and /readyz are answered, or `off`: 127.0.0.1:9464, or any other port when that is taken
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<Listen>,
    /// What to write to standard error: error, warn, info, debug or trace, or parts such as `warn,dataplane=debug`
    ///
    /// Without it what RUST_LOG says, and else warnings only. Where a collector of OpenTelemetry gets traces and metrics is said by
    /// OTEL_EXPORTER_OTLP_ENDPOINT, such as http://localhost:4318, and by the other variables that OpenTelemetry knows.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}
