//! The settings of a network, below those of the configuration that names it.

use serde::Serialize;

use super::Settings;

impl Settings {
    /// Takes what `from` sets and this does not.
    ///
    /// # Errors
    /// Both set a field, to different values: which, and both of them.
    pub fn join(&mut self, from: &str, other: Self) -> Result<(), String> {
        one("mac", from, &mut self.mac, other.mac)?;
        one("mtu", from, &mut self.mtu, other.mtu)?;
        one("vlan", from, &mut self.vlan, other.vlan)?;
        one("vlanQoS", from, &mut self.vlan_qos, other.vlan_qos)?;
        one("vlanProto", from, &mut self.vlan_proto, other.vlan_proto)?;
        one("spoofChk", from, &mut self.spoof_chk, other.spoof_chk)?;
        one("trust", from, &mut self.trust, other.trust)?;
        one("linkState", from, &mut self.link_state, other.link_state)?;
        one("minTxRate", from, &mut self.min_tx_rate, other.min_tx_rate)?;
        one("maxTxRate", from, &mut self.max_tx_rate, other.max_tx_rate)?;
        if let (Some(own), Some(theirs)) = (&self.ipam, &other.ipam)
            && own.config != theirs.config
        {
            let (own, theirs) = (&own.plugin, &theirs.plugin);
            return Err(format!(
                "ipam: {own} in the config, and {theirs} in {from}; leave one out"
            ));
        }
        self.ipam = self.ipam.take().or(other.ipam);
        let fault = self.fault();
        fault.map_or(Ok(()), |(field, reason)| {
            Err(format!("{field}: {reason} (with what {from} sets)"))
        })
    }
}

fn one<T: PartialEq + Serialize>(
    field: &str,
    from: &str,
    own: &mut Option<T>,
    theirs: Option<T>,
) -> Result<(), String> {
    let text = |value: &T| serde_json::to_string(value).unwrap_or_default();
    if let (Some(own), Some(theirs)) = (&*own, &theirs)
        && own != theirs
    {
        let (own, theirs) = (text(own), text(theirs));
        return Err(format!(
            "{field}: {own} in the config, and {theirs} in {from}; leave one out"
        ));
    }
    *own = own.take().or(theirs);
    Ok(())
}
