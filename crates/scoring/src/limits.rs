//! How large a model may be. Whoever loads packages decides; the defaults fit everything that is meant to run on an order's way.

/// The most that loads.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of `model.onnx`. 300 trees of 31 leaves are 1 MB.
    pub model_bytes_max: u64,
    /// Of `model.toml`: thousands of golden rows and the profiles of hundreds of inputs are some MB.
    pub manifest_bytes_max: u64,
    /// Of a model when it is read, which is known beforehand, and of everything that one batch makes of its numbers.
    pub memory_bytes_max: u64,
    /// Operators in the graph. Exporters write a few for trees, and some dozen for a network with embeddings.
    pub operators_max: usize,
    /// Inputs of the signature.
    pub inputs_max: usize,
    /// Outputs of the signature: one for each quantile.
    pub outputs_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            model_bytes_max: 64 << 20,
            manifest_bytes_max: 8 << 20,
            memory_bytes_max: 256 << 20,
            operators_max: 1_000,
            inputs_max: 2_048,
            outputs_max: 32,
        }
    }
}
