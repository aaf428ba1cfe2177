//! The controller's process.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};

use super::Controller;
use crate::{
    args::ControllerArgs,
    cluster::{ConfigMaps, Kube, Policies, PoolCluster},
    telemetry,
};

/// Interval of reconciliation without changes.
const RESYNC: Duration = Duration::from_secs(600);
/// Delay after an error of the API server.
const RETRY: Duration = Duration::from_secs(5);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// The API server cannot be reached.
pub fn run(args: ControllerArgs) -> anyhow::Result<()> {
    telemetry::init_logs(&args.log, args.log_format)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (mut term, mut int) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let which = match args.config_label {
            Some(selector) => ConfigMaps::Labelled {
                selector,
                namespaces: args.config_namespace,
            },
            None => ConfigMaps::Named(args.config_map),
        };
        let cluster: Arc<dyn PoolCluster> = Arc::new(Kube::connect(&args.driver_name, "").await?);
        let policies = args
            .policy_namespace
            .as_deref()
            .map(|namespace| cluster.all_policies(namespace));
        let changes = changes(&*cluster, &which, policies.clone());
        tracing::info!(driver = args.driver_name, ?which, "starting");
        let controller = Controller::new(
            cluster,
            which,
            policies,
            &args.driver_name,
            &args.resource_prefix,
        );
        tokio::select! {
            () = reconcile_forever(controller, changes) => {}
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping");
        Ok(())
    })
}

/// Changes of ConfigMaps, classes and policies.
pub(super) fn changes(
    cluster: &dyn PoolCluster,
    which: &ConfigMaps,
    policies: Option<Policies>,
) -> BoxStream<'static, ()> {
    let next = |mut view: Policies| async { view.changed().await.ok().map(|()| ((), view)) };
    let policies = policies
        .into_iter()
        .map(|view| stream::unfold(view, next).boxed());
    stream::select_all(policies.chain([cluster.pool_changes(which)])).boxed()
}

/// Reconciles on every change, and periodically.
pub(super) async fn reconcile_forever(
    mut controller: Controller,
    mut changes: BoxStream<'static, ()>,
) {
    loop {
        match controller.reconcile().await {
            Ok(()) => drop(timeout(RESYNC, changes.next()).await),
            Err(error) => {
                tracing::warn!(%error, "reconcile failed, retrying");
                sleep(RETRY).await;
            }
        }
        // The next reconcile covers all changes so far, among them this controller's own writes.
        while changes.next().now_or_never().flatten().is_some() {}
    }
}
