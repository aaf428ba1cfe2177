//! Which device is whose before anything is attached: by the claims' configs, else by order.

use super::{Chosen, PodDevice, Request, WhichError, error};
use crate::cni::{
    is_own_type,
    networks::{Network, PodNetworks},
};

/// A network and the name that its interface gets.
pub(super) struct Place<'a> {
    pub(super) network: &'a Network,
    /// None: the default network's, which the runtime names.
    pub(super) interface: Option<String>,
}

/// The pod's networks and devices, and which belongs to which. Both are named by their index.
pub(super) struct Assignment<'a> {
    /// Default network first, then as in the annotation.
    pub(super) networks: Vec<Place<'a>>,
    /// Sorted as strings.
    pub(super) devices: Vec<&'a PodDevice>,
    /// Each network's device.
    of_network: Vec<Option<usize>>,
    /// The network that the config of a device's claim names.
    bound: Vec<Option<usize>>,
}

impl<'a> Assignment<'a> {
    pub(super) fn new(pod: Option<&'a PodNetworks>, devices: &'a [PodDevice]) -> Self {
        let place = |(position, network): (usize, &'a Network)| Place {
            interface: interface(position, network),
            network,
        };
        let mut networks: Vec<Place<'a>> = pod
            .into_iter()
            .flat_map(PodNetworks::positions)
            .map(place)
            .collect();
        networks.sort_by_key(|place| !place.network.is_default);
        let mut devices: Vec<&PodDevice> = devices.iter().collect();
        devices.sort_by(|a, b| a.device_id.cmp(&b.device_id));
        let mut this = Self {
            of_network: vec![None; networks.len()],
            bound: vec![None; devices.len()],
            networks,
            devices,
        };
        this.assign();
        this
    }

    fn assign(&mut self) {
        let by_interface = |place: &Place<'_>, device: &PodDevice| {
            takes_devices(place.network) && is_of(place.network, device) && is_named(place, device)
        };
        let by_nad = |place: &Place<'_>, device: &PodDevice| {
            device.named_nad.as_ref() == Some(&place.network.nad)
        };
        self.pass(by_interface);
        self.pass(by_nad);
        self.bind();
        // Multus up to 4.3 takes the resource for a claim's name.
        self.pass(|place, device| is_unnamed(device) && is_claim(place.network, device));
        self.pass(|place, device| is_unnamed(device) && is_of_pool(place.network, device));
        // A claim's config that names an interface which no network has names nothing.
        self.pass(|place, device| {
            device.named_nad.is_none() && is_of_resource(place.network, device)
        });
    }

    /// Gives each network that has no device the first one left that fits.
    fn pass(&mut self, fits: impl Fn(&Place<'a>, &PodDevice) -> bool) {
        for (index, place) in self.networks.iter().enumerate() {
            if self.of_network[index].is_some() {
                continue;
            }
            let is_left = |at: &usize| !self.of_network.contains(&Some(*at));
            let fitting = |at: &usize| fits(place, self.devices[*at]);
            let found = (0..self.devices.len()).find(|at| is_left(at) && fitting(at));
            self.of_network[index] = found;
        }
    }

    fn bind(&mut self) {
        for (index, device) in self.of_network.iter().enumerate() {
            if let Some(device) = device {
                self.bound[*device] = Some(index);
            }
        }
    }

    pub(super) fn claimed(&self, device: usize) -> Chosen<'a> {
        Chosen::Claimed(self.devices[device])
    }

    /// A network's device by config or order.
    pub(super) fn device_of(&self, network: usize) -> Option<&'a PodDevice> {
        self.of_network[network].map(|at| self.devices[at])
    }

    /// The device that this interface had before.
    pub(super) fn attached(&self, request: &Request<'_>) -> Option<usize> {
        let has = |device: &&PodDevice| device.attached_as.as_deref() == Some(request.ifname);
        self.devices.iter().position(has)
    }

    /// The devices whose claims' configs name this interface.
    fn named(&self, request: &Request<'_>) -> Vec<usize> {
        let names =
            |at: &usize| self.devices[*at].named_interface.as_deref() == Some(request.ifname);
        (0..self.devices.len()).filter(names).collect()
    }

    /// The only one.
    pub(super) fn named_alone(&self, request: &Request<'_>) -> Result<Option<usize>, WhichError> {
        self.single(self.named(request), request)
    }

    /// The device of a network that a claim's config names for it: by this interface, else by the
    /// network.
    pub(super) fn named_for(
        &self,
        network: usize,
        request: &Request<'_>,
    ) -> Result<Option<usize>, WhichError> {
        let place = self.networks[network].network;
        let (fitting, others): (Vec<usize>, Vec<usize>) = self
            .named(request)
            .into_iter()
            .partition(|at| is_of(place, self.devices[*at]));
        if let (true, Some(other)) = (fitting.is_empty(), others.first()) {
            return Err(error::contradiction(place, self.devices[*other], request));
        }
        let bound = || self.bound.iter().position(|bound| *bound == Some(network));
        Ok(self.single(fitting, request)?.or_else(bound))
    }

    fn single(&self, all: Vec<usize>, request: &Request<'_>) -> Result<Option<usize>, WhichError> {
        match all[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            [..] => Err(error::ambiguous(
                all.iter().map(|at| self.devices[*at]),
                request,
            )),
        }
    }

    pub(super) fn hinted(&self, request: &Request<'_>) -> Option<usize> {
        let hint = request.hint?;
        self.devices
            .iter()
            .position(|device| device.device_id == hint.device_id)
    }

    /// Whether this network's interface may have this device.
    pub(super) fn may(&self, network: usize, device: usize) -> bool {
        let (network_of, bound) = (self.networks[network].network, self.bound[device]);
        is_of(network_of, self.devices[device]) && bound.is_none_or(|bound| bound == network)
    }

    pub(super) fn is_free(&self, device: usize, request: &Request<'_>) -> bool {
        self.devices[device].is_free_for(request.ifname)
    }

    pub(super) fn is_assigned(&self, device: usize) -> bool {
        self.of_network.contains(&Some(device))
    }

    pub(super) fn unless_taken(
        &self,
        device: usize,
        request: &Request<'_>,
    ) -> Result<Chosen<'a>, WhichError> {
        match self.is_free(device, request) {
            true => Ok(self.claimed(device)),
            false => Err(error::taken(self.devices[device], request)),
        }
    }

    /// The network's own device by order; if another interface has it, another one.
    pub(super) fn in_order(
        &self,
        network: usize,
        request: &Request<'_>,
    ) -> Result<Option<usize>, WhichError> {
        let is_free = |at: &usize| self.is_free(*at, request);
        if let Some(own) = self.of_network[network].filter(is_free) {
            return Ok(Some(own));
        }
        let free: Vec<usize> = (0..self.devices.len())
            .filter(|at| is_free(at) && self.may(network, *at))
            .collect();
        if self.networks[network].network.resource_name.is_none() {
            let rest = free
                .into_iter()
                .filter(|at| !self.is_assigned(*at))
                .collect();
            return self.alike(rest, request);
        }
        let unassigned = free.iter().find(|at| !self.is_assigned(**at));
        Ok(unassigned.or(free.first()).copied())
    }

    /// The next free device that no network has, where all are of one pool.
    pub(super) fn of_one_pool(&self, request: &Request<'_>) -> Result<Option<usize>, WhichError> {
        let fits = |at: &usize| {
            let pool = self.devices[*at].pool.as_deref();
            let asked = request.pool.is_none_or(|asked| pool == Some(asked));
            asked && self.is_free(*at, request) && !self.is_assigned(*at)
        };
        self.alike((0..self.devices.len()).filter(fits).collect(), request)
    }

    /// The first of devices that differ in nothing but their address.
    fn alike(&self, all: Vec<usize>, request: &Request<'_>) -> Result<Option<usize>, WhichError> {
        let Some((first, rest)) = all.split_first() else {
            return Ok(None);
        };
        let pool = |at: &usize| &self.devices[*at].pool;
        match rest.iter().all(|at| pool(at) == pool(first)) {
            true => Ok(Some(*first)),
            false => Err(error::ambiguous(
                all.iter().map(|at| self.devices[*at]),
                request,
            )),
        }
    }
}

/// `net` and the position, unless a name is requested.
fn interface(position: usize, network: &Network) -> Option<String> {
    let generated = || (!network.is_default).then(|| format!("net{position}"));
    network.interface.clone().or_else(generated)
}

/// Whether the network takes devices of a pool, or its plugin may be this driver's.
fn takes_devices(network: &Network) -> bool {
    network.resource_name.is_some() || network.conf_type.as_deref().is_none_or(is_own_type)
}

fn is_unnamed(device: &PodDevice) -> bool {
    device.named_nad.is_none() && device.named_interface.is_none()
}

fn is_named(place: &Place<'_>, device: &PodDevice) -> bool {
    place.interface.is_some() && place.interface == device.named_interface
}

fn is_claim(network: &Network, device: &PodDevice) -> bool {
    network.resource_name.as_ref() == Some(&device.claim.name)
}

fn is_of_pool(network: &Network, device: &PodDevice) -> bool {
    network.resource_name.is_some() && network.resource_name == device.pool
}

fn is_of_resource(network: &Network, device: &PodDevice) -> bool {
    is_claim(network, device) || is_of_pool(network, device)
}

/// Whether nothing speaks against the device for the network.
fn is_of(network: &Network, device: &PodDevice) -> bool {
    let by_resource = network.resource_name.is_none() || is_of_resource(network, device);
    let by_name = device
        .named_nad
        .as_ref()
        .is_none_or(|nad| *nad == network.nad);
    let is_named_so = device.named_nad.as_ref() == Some(&network.nad);
    is_named_so || (by_resource && by_name)
}
