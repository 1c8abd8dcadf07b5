//! The secrets that a command signs with.

use std::sync::Arc;

use audit_store::{Options, keys};

use crate::arguments::Secrets;

impl Secrets {
    /// Gives the secrets to a log that is opened.
    pub(crate) fn give(&self, mut options: Options) -> anyhow::Result<Options> {
        if let Some(file) = &self.key_file {
            options = options.key_file(file);
        }
        if let Some(variable) = &self.signer_env {
            options = options.signer(Arc::new(keys::secret_from_environment(variable)?));
        }
        Ok(options)
    }
}
