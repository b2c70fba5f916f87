//! What agents are at, told to whoever listens at the MQTT broker. Nothing here is needed to be right: the database knows, and an
//! event that cannot be told now is not told.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer, pki_types::pem::PemObject, version::TLS13};
use serde_json::json;
use tokio::{
    task::{self, JoinHandle},
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{config::BrokerConfig, error::Failure, metrics::Metrics};

/// Where all events are heard.
const ALL: &str = "agents/+/state";

/// Events that wait while the broker is out of reach; beyond that they are not told.
const WAITING: usize = 64;

/// How long to leave a broker alone that refuses or does not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// How often a silent connection is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection to the broker that is made again when lost.
pub struct Events {
    client: AsyncClient,
    connected: Arc<AtomicBool>,
    talk: Mutex<Option<JoinHandle<()>>>,
}

impl Events {
    /// Begins to connect, over TLS 1.3 and to nobody but the holder of a certificate by the configured authority. Needs a running
    /// async runtime.
    ///
    /// # Errors
    /// A failure when the authority's certificate cannot be read.
    pub fn start(config: &BrokerConfig, metrics: &Metrics) -> Result<Self, Failure> {
        let mut options = MqttOptions::new(format!("backend-{}", Uuid::now_v7()), &config.host, config.port);
        options.set_credentials(&config.user, config.password.expose());
        options.set_keep_alive(KEEP_ALIVE);
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::new(trusting(&config.authority)?))));
        let (client, connection) = AsyncClient::new(options, WAITING);
        let connected = Arc::new(AtomicBool::new(false));
        let listener = Listener { client: client.clone(), connected: connected.clone(), heard: metrics.events_heard.clone() };
        let talk = task::spawn(listener.talk(connection));
        Ok(Self { client, connected, talk: Mutex::new(Some(talk)) })
    }

    /// Tells what the agent of a session is at, without waiting.
    pub fn tell(&self, session: Uuid, state: &str) {
        let event = json!({"session": session, "state": state}).to_string();
        if let Err(error) = self.client.try_publish(format!("agents/{session}/state"), QoS::AtLeastOnce, false, event) {
            tracing::debug!("an event is not told: {error}");
        }
    }

    /// Whether the broker has accepted this client, and still hears it as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// Tells what is still to be told and takes leave, so that the broker does not take the end for an accident.
    pub async fn stop(&self) {
        let talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut talk) = talk else { return };
        let said = self.is_connected() && self.client.try_disconnect().is_ok();
        // A broker that does not take it in time is left without a goodbye.
        if !said || timeout(GOODBYE, &mut talk).await.is_err() {
            talk.abort();
        }
    }
}

/// The other end of the connection.
struct Listener {
    client: AsyncClient,
    connected: Arc<AtomicBool>,
    heard: prometheus::IntCounter,
}

impl Listener {
    /// Talks until it has taken leave.
    async fn talk(self, mut connection: EventLoop) {
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => self.greet(),
                Ok(Event::Incoming(Packet::Publish(_))) => self.heard.inc(),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
                Ok(_) => {}
                Err(error) => {
                    self.lose(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn greet(&self) {
        self.connected.store(true, Ordering::Release);
        tracing::info!("connected to the broker");
        if let Err(error) = self.client.try_subscribe(ALL, QoS::AtMostOnce) {
            tracing::warn!("no events are heard: {error}");
        }
    }

    /// Told once for each time it is lost, and in detail to whoever looks closely.
    fn lose(&self, error: &ConnectionError) {
        if self.connected.swap(false, Ordering::AcqRel) {
            tracing::warn!("the connection to the broker is lost: {error}");
        } else {
            tracing::debug!("the broker is out of reach: {error}");
        }
    }
}

/// TLS that trusts the authorities in a file and nobody else.
fn trusting(authority: &str) -> Result<ClientConfig, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("`MQTT_CA_FILE` is `{authority}`, which holds no certificate that can be read: {error}"))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"there is none in it"));
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    let config = config.map_err(|error| Failure::logged(format!("TLS cannot be set up: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let file = std::env::temp_dir().join(format!("backend-authority-{}", Uuid::now_v7()));
        let told = || trusting(file.to_str().expect("UTF-8")).expect_err("no certificate").to_string();
        assert!(told().starts_with("`MQTT_CA_FILE` is `"), "{}", told());
        std::fs::write(&file, "nothing of the kind").expect("written");
        assert!(told().ends_with("there is none in it"), "{}", told());
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
        assert!(told().contains("holds no certificate"), "{}", told());
        std::fs::remove_file(&file).expect("removed");
    }
}
