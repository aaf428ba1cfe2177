//! The agent of a node: wires the modules together.
//!
//! ```text
//!  kernel events ─► publication ─► Publisher ─► API server
//!  kubelet ─► NodeClaims ─► Engine ─► kernel          ▲ status
//!  runtime ─► nri ─► Attacher ─► kernel, Change ──────┘ events
//!  every 10 min ─► collect
//! ```
//!
//! Start: records of another boot go, what a dead agent left half done is undone, and then, or when
//! that takes too long, everybody else is served. Async above, blocking below: kernel work runs on threads of its own and is
//! never cancelled.

mod attachments;
mod boot;
mod changes;
mod claims;
mod cni_plugin;
mod collect;
pub(crate) mod config_file;
mod definitions;
mod dir_events;
mod env_turn;
mod hooks;
mod hung_calls;
mod ipam;
mod kernel_events;
mod link_debounce;
mod networks;
mod pods;
mod policies;
mod pool_config;
mod pool_defaults;
mod publication;
mod recovery;
mod releases;
mod status;
#[cfg(test)]
mod test_claims;
mod watchdog;

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{
    args::NodeArgs,
    attach::Attacher,
    claim::{self, Engine, Identity, PublishedOf},
    cluster::{Cluster, Kube},
    host::{in_flight::InFlight, linux::Linux, wrapped::Wrapped},
    inventory::DeviceFilter,
    kubelet::{Plugin, Registration, Serving},
    ledger::SliceLocks,
    nri,
    paths::Paths,
    publish::{Lease, Pace, Published, Publisher},
    telemetry::{self, Metrics, Readiness},
};
use claims::NodeClaims;
use link_debounce::LinkDebounce;
use networks::Networks;

/// Work for the kubelet that is under way may take so long when the agent ends; what is left is in
/// the records.
const GRACE: Duration = Duration::from_secs(20);
/// The place among the runtime's plugins: before those that look at what a pod has.
const NRI_INDEX: &str = "10";

/// Runs until a signal ends it.
///
/// # Errors
/// The agent cannot start, or a part of it that must not end has ended.
pub fn run(args: NodeArgs) -> anyhow::Result<()> {
    telemetry::init_logs(&args.log, args.log_format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(agent(args));
    // Kernel work that hangs must not hold the process: the records know of it.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn agent(args: NodeArgs) -> anyhow::Result<()> {
    let paths = args.paths.to_paths();
    let records = boot::guard(&paths).with_context(|| paths.run.display().to_string())?;
    tracing::info!(
        node = args.node_name,
        driver = args.driver_name,
        ?records,
        "starting"
    );
    let (readiness, metrics) = (Readiness::default(), Arc::new(Metrics::default()));
    let mut parts = Parts::default();
    let socket = telemetry::agent_socket(&paths.run, &args.pod_uid);
    let (probed, counted) = (readiness.clone(), Arc::clone(&metrics));
    let served = socket.clone();
    let (calls, (serves, dra)) = (InFlight::default(), watch::channel(None));
    let probes = telemetry::Probed {
        calls: calls.clone(),
        dra,
    };
    parts.try_run("agent socket", async move {
        telemetry::serve(&served, probed, counted, probes).await
    });
    parts.run(
        "hung calls",
        hung_calls::run(calls.clone(), Arc::clone(&metrics)),
    );
    let result = serve(
        &args,
        &paths,
        &readiness,
        metrics,
        (calls, serves),
        &mut parts,
    )
    .await;
    parts.stop().await;
    SliceLocks::sweep(&paths);
    crate::files::remove(&socket)?;
    result
}

async fn serve(
    args: &NodeArgs,
    paths: &Paths,
    readiness: &Readiness,
    metrics: Arc<Metrics>,
    (calls, serves): (InFlight, watch::Sender<Option<PathBuf>>),
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let starting = readiness.task("kubelet's registration");
    let (engine, unrestored) = recovered(args, paths, calls).await?;
    let kube = Kube::connect(&args.driver_name, &args.node_name).await?;
    let cluster: Arc<dyn Cluster> = Arc::new(kube);
    let changed = Arc::new(Notify::new());
    let releases = Arc::new(Notify::new());
    kernel_events::listen(vec![Arc::clone(&changed), Arc::clone(&releases)])?;

    let (reports, reporter) = status::Reports::new(Arc::clone(&cluster), Arc::clone(&engine));
    parts.run("status", reporter.run());
    recovery::report(&engine, unrestored, &reports).await;
    let nri = attach(args, paths, &engine, &cluster, &reports, parts)?;
    parts.run(
        "attachments",
        attachments::run(Arc::clone(&engine), reports.clone(), Arc::clone(&changed)),
    );
    let (nudge, pools) = publish(
        args,
        &engine,
        &cluster,
        &metrics,
        (&changed, &reports),
        readiness,
        parts,
    )?;
    if let Some(plugin) = cni_plugin::CniPlugin::of(args, &cluster, &metrics) {
        parts.run("CNI plugin", plugin.run());
    }
    let networks = Networks::of_node(args, paths, &cluster, parts);
    let claims = NodeClaims::new(
        cluster,
        Arc::clone(&engine),
        nri,
        Arc::clone(&metrics),
        (Arc::clone(&changed), Arc::clone(&releases)),
        pools,
        reports.clone(),
    );
    let claims = Arc::new(claims.asking(networks));
    let queue = releases::Releases {
        engine: Arc::clone(&engine),
        reports,
        wake: releases,
        changed,
        metrics,
    };
    parts.run("releases", queue.run());
    parts.run("stale claims", collect::run(Arc::clone(&claims)));
    let mut serving = kubelet(args, paths, claims).await?;
    serves.send_replace(Some(serving.dra_socket().to_owned()));
    parts.run(
        "registrations",
        follow_registrations(serving.registrations(), nudge, starting),
    );
    tracing::info!("serving");

    let result = tokio::select! {
        signal = ended_by_signal() => signal.map(|name| tracing::info!(signal = name, "ending")),
        part = parts.ended() => Err(part),
        reason = serving.ended() => Err(anyhow!(reason)),
    };
    serving.stop(GRACE).await;
    let left = releases::complete(&engine, GRACE).await;
    leave_no_lock(&engine);
    result.and_then(|()| match left.is_empty() {
        true => Ok(()),
        // Whoever uninstalls the driver is to see what stays as no other agent follows.
        false => Err(anyhow!("not released: {}", left.join("; "))),
    })
}

/// The engine, after what a dead agent left has been undone. A claim that cannot be does not stop
/// the others: its devices are tainted, and it is returned.
async fn recovered(
    args: &NodeArgs,
    paths: &Paths,
    calls: InFlight,
) -> anyhow::Result<(Arc<Engine>, Vec<recovery::Unrestored>)> {
    let identity = Identity {
        driver_name: args.driver_name.clone(),
        node_name: args.node_name.clone(),
        drivers: args.allow_drivers.clone(),
    };
    let filter = DeviceFilter {
        include: args.include.clone(),
        exclude: args.exclude.clone(),
    };
    let engine = engine(paths, identity, calls)
        .choosing(filter)
        .allowing_no_iommu(args.allow_no_iommu);
    let engine = Arc::new(match ipam::plugins(args) {
        Some(plugins) => engine.assigning(Arc::new(plugins)),
        None => engine,
    });
    let unrestored = recovery::run(&engine).await?;
    Ok((engine, unrestored))
}

#[cfg(not(feature = "fuse"))]
fn engine(paths: &Paths, identity: Identity, calls: InFlight) -> Engine {
    let kernel = Wrapped::new(Linux::new(paths.clone()), calls);
    Engine::new(Arc::new(kernel), paths.clone(), identity)
}

/// Changes of the kernel's state and of records pass one fuse.
#[cfg(feature = "fuse")]
fn engine(paths: &Paths, identity: Identity, calls: InFlight) -> Engine {
    use crate::host::fuse::Fuse;
    let fuse = Fuse::new(paths);
    let hook = fuse.change_hook();
    Engine::with_hook(
        Arc::new(Wrapped::new(
            Wrapped::new(Linux::new(paths.clone()), fuse),
            calls,
        )),
        paths.clone(),
        identity,
        hook,
    )
}

/// Attaches pods' netdevs when the runtime calls, and reports it to the API server. Returns whether
/// the runtime calls.
fn attach(
    args: &NodeArgs,
    paths: &Paths,
    engine: &Arc<Engine>,
    cluster: &Arc<dyn Cluster>,
    reports: &status::Reports,
    parts: &mut Parts,
) -> anyhow::Result<watch::Receiver<bool>> {
    let changed = reports.clone();
    let report = Box::new(move |change| changed.changed(change));
    let pods = Arc::new(pods::PodsOfNode(cluster.pods()));
    let store = engine.store().clone();
    let attacher = Attacher::new(
        Arc::clone(engine.kernel()),
        store,
        paths.clone(),
        engine.identity().pool(),
        pods,
        report,
    );
    let hooks = hooks::ReportingHooks {
        attacher,
        reports: reports.clone(),
        env: env_turn::EnvTurn::new(slice_locks(paths)?),
    };
    let plugin = nri::Plugin::new(&paths.nri, &args.driver_name, NRI_INDEX, Arc::new(hooks));
    let (ready, reconnect) = (plugin.ready(), plugin.reconnect());
    parts.run("nri", plugin.run(std::future::pending()));
    let watched = Arc::clone(engine);
    parts.run("watchdog", watchdog::run(watched, reconnect));
    Ok(ready)
}

/// Publishes the host's functions and keeps them so. Returns what makes it look at the server at
/// once, and the pools of devices for claims.
fn publish(
    args: &NodeArgs,
    engine: &Arc<Engine>,
    cluster: &Arc<dyn Cluster>,
    metrics: &Arc<Metrics>,
    (changed, reports): (&Arc<Notify>, &status::Reports),
    readiness: &Readiness,
    parts: &mut Parts,
) -> anyhow::Result<(Arc<Notify>, watch::Receiver<Arc<claim::PoolDefaults>>)> {
    let file = config_file::of(args);
    let (pool_defaults, pools) = watch::channel(Arc::new(pool_defaults::at_start(args)));
    let (desire, desired) = watch::channel(None);
    let publisher = Publisher::new(Arc::clone(cluster), desired, Pace::default())
        .leased(lease(args, readiness)?);
    let nudge = publisher.nudge();
    engine.remember(known(publisher.published()));
    let view = args
        .policy_namespace
        .as_deref()
        .map(|namespace| cluster.policies(namespace));
    let policies = policies::Policies::new(
        view.clone(),
        &args.node_name,
        &args.driver_name,
        &args.resource_prefix,
    );
    let publication = publication::Publication {
        driver: args.driver_name.clone(),
        engine: Arc::clone(engine),
        metrics: Arc::clone(metrics),
        published: publisher.published(),
        desire,
        links: LinkDebounce::default(),
        pools: pool_config::PoolConfig::new(file.clone(), &args.resource_prefix),
        policies,
        cluster: Arc::clone(cluster),
        node: args.node_name.clone(),
        pool_defaults,
        planned_for: None,
        last_known: BTreeMap::new(),
        reports: reports.clone(),
    };
    parts.run("config file", pool_config::watch(file, Arc::clone(changed)));
    parts.run("policies", policies::watch(view, Arc::clone(changed)));
    parts.run("publisher", publisher.run());
    let (changed, starting) = (Arc::clone(changed), readiness.task("inventory"));
    parts.run("publication", publication.run(changed, starting));
    Ok((nudge, pools))
}

fn slice_locks(paths: &Paths) -> anyhow::Result<SliceLocks> {
    SliceLocks::new(paths).with_context(|| paths.proc.display().to_string())
}

/// One agent of a node writes its slices: the newest that has been ready for a while.
fn lease(args: &NodeArgs, readiness: &Readiness) -> anyhow::Result<Lease> {
    let locks = slice_locks(&args.paths.to_paths())?;
    let readiness = readiness.clone();
    Ok(Lease::new(locks, move || readiness.pending().is_empty()))
}

/// What the server holds of a device, for records.
fn known(published: watch::Receiver<Option<Published>>) -> PublishedOf {
    Box::new(move |id| {
        let published = published.borrow();
        let device = published
            .as_ref()
            .and_then(|published| published.devices.get(&id.name()));
        device
            .map(|device| device.attributes.clone())
            .unwrap_or_default()
    })
}

async fn kubelet(
    args: &NodeArgs,
    paths: &Paths,
    claims: Arc<NodeClaims>,
) -> anyhow::Result<Serving> {
    let plugin = Plugin {
        driver: args.driver_name.clone(),
        kubelet: paths.kubelet.clone(),
        instance: args.pod_uid.clone(),
        timeout: claims::TIMEOUT + Duration::from_secs(2),
    };
    Ok(crate::kubelet::serve(plugin, claims).await?)
}

/// Ends `starting` with the first registration. The kubelet deletes the node's slices when it
/// starts, and then registers us anew.
async fn follow_registrations(
    mut registrations: watch::Receiver<Registration>,
    nudge: Arc<Notify>,
    starting: telemetry::Task,
) {
    let mut starting = Some(starting);
    while registrations.changed().await.is_ok() {
        let registration = registrations.borrow_and_update().clone();
        tracing::info!(?registration, "kubelet");
        starting = starting.filter(|_| registration.times == 0);
        nudge.notify_one();
    }
    std::future::pending().await
}

/// Without a record nobody needs the locks' files; another agent of this node makes its own.
fn leave_no_lock(engine: &Engine) {
    let entries = engine.attachments().titles();
    let is_idle = engine.records().is_ok_and(|records| records.is_empty());
    if is_idle && entries.is_ok_and(|entries| entries.is_empty()) {
        engine.locks().sweep();
        engine.sweep_notes();
        // Only if it is empty.
        let _ = std::fs::remove_dir(engine.paths().attachments());
    }
}

async fn ended_by_signal() -> anyhow::Result<&'static str> {
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    })
}

/// Runs blocking work on a thread of its own; it goes on when nobody waits any more.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Parts of the agent that run as long as it does.
#[derive(Default)]
struct Parts(JoinSet<(&'static str, anyhow::Result<()>)>);

impl Parts {
    fn run(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            part.await;
            (name, Ok(()))
        });
    }

    fn try_run(
        &mut self,
        name: &'static str,
        part: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        self.0
            .spawn(async move { (name, part.await.map_err(Into::into)) });
    }

    /// Ends all of them, so that what they hold is free.
    async fn stop(&mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.0.shutdown()).await;
    }

    /// Waits for the first that ends, which none should.
    async fn ended(&mut self) -> anyhow::Error {
        match self.0.join_next().await {
            Some(Ok((name, Ok(())))) => anyhow!("{name}: ended"),
            Some(Ok((name, Err(error)))) => error.context(name),
            Some(Err(error)) => anyhow!(error),
            None => std::future::pending().await,
        }
    }
}
