//! The journal of health: a row for each change of a check's status. When a change is noticed is decided in `health`.

use super::{Database, StoreError};
use crate::health::Change;

const RECORD: &str = "
INSERT INTO health_checks (service, status, message, latency_ms, checked_at) VALUES ($1, $2, $3, $4, $5)";

impl Database {
    /// Stores all the given changes, or none of them.
    ///
    /// # Errors
    /// When the database does not answer or refuses.
    pub async fn record_health(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(RECORD).await?;
        for change in changes {
            let service = &change.service;
            transaction
                .execute(&statement, &[&change.name, &service.status.as_str(), &service.message, &service.latency_ms, &change.at])
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
