//! What a trace tells of the machine that it was taken on.

use etweir::trace::Event;
use etweir::{Guid, Utf16};
use serde::Serialize;

/// Facts of kernel sessions, which describe the machine in events of their own. Others have none.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Host {
    pub(super) computer_name: Option<String>,
    pub(super) domain: Option<String>,
    /// MB.
    pub(super) memory: Option<u32>,
    pub(super) manufacturer: Option<String>,
    pub(super) product: Option<String>,
    pub(super) bios_version: Option<String>,
    pub(super) bios_date: Option<String>,
    /// The operating system's build string. JSON has it beside the host.
    #[serde(skip)]
    pub(super) build_lab: Option<String>,
}

/// `SystemConfig`. Source: kernel decoding reference, the rows of this class.
const SYSTEM_CONFIG: Guid =
    Guid::from_parts(0x0185_3A65, 0x418F, 0x4F36, [0xAE, 0xFC, 0xDC, 0x0F, 0x1D, 0x2F, 0xD2, 0x35]);
const CPU: u8 = 10;
const PLATFORM: u8 = 25;
/// The hook whose payload is the `BuildLab` string.
const BUILD_LAB: u16 = 0x0042;

impl Host {
    /// Takes over what an event tells, if it does.
    pub(super) fn see(&mut self, event: &Event<'_>) {
        let Some(hook) = event.hook_id() else { return };
        let payload = event.user_data();
        if hook == BUILD_LAB && self.build_lab.is_none() {
            let text = payload.split(|byte| *byte == 0).next().unwrap_or_default();
            self.build_lab = Some(String::from_utf8_lossy(text).into_owned());
        }
        if event.provider_id() == SYSTEM_CONFIG {
            match event.opcode() {
                CPU => self.see_cpu(payload),
                PLATFORM => self.see_platform(payload),
                _ => {}
            }
        }
    }

    /// Five numbers, then a computer name and a domain of fixed lengths.
    fn see_cpu(&mut self, payload: &[u8]) {
        const NUMBERS: usize = 20;
        const MEMORY: usize = 8;
        const COMPUTER_NAME: usize = 512;
        const DOMAIN: usize = 264;
        let part = |at: usize, len: usize| payload.get(at..).map(|rest| rest.get(..len).unwrap_or(rest));
        self.memory =
            part(MEMORY, 4).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
        self.computer_name = part(NUMBERS, COMPUTER_NAME).and_then(|bytes| text(bytes).0);
        self.domain = part(NUMBERS + COMPUTER_NAME, DOMAIN).and_then(|bytes| text(bytes).0);
    }

    /// Four texts with zeros at their ends.
    fn see_platform(&mut self, payload: &[u8]) {
        let mut rest = payload;
        for to in [&mut self.manufacturer, &mut self.product, &mut self.bios_date, &mut self.bios_version] {
            (*to, rest) = text(rest);
        }
    }
}

/// The text up to a zero, or to the end, and what follows. `None` if it is empty.
fn text(bytes: &[u8]) -> (Option<String>, &[u8]) {
    let (text, rest) = Utf16::until_zero(bytes);
    (Some(text.to_string()).filter(|text| !text.trim().is_empty()), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_cpu_record_names_the_computer() {
        let mut payload = vec![0; 20 + 512 + 268 + 8];
        payload[8..12].copy_from_slice(&4096_u32.to_le_bytes());
        payload[20..20 + 8].copy_from_slice(&utf16("HOST"));
        payload[532..532 + 6].copy_from_slice(&utf16("LAN"));
        let mut host = Host::default();
        host.see_cpu(&payload);
        assert_eq!(host.memory, Some(4096));
        assert_eq!(host.computer_name.as_deref(), Some("HOST"));
        assert_eq!(host.domain.as_deref(), Some("LAN"));
    }

    #[test]
    fn a_record_cut_short_tells_what_it_has() {
        let mut payload = vec![0; 20];
        payload.extend(utf16("HOS"));
        payload.push(b'T');
        let mut host = Host::default();
        host.see_cpu(&payload);
        assert_eq!((host.computer_name.as_deref(), host.domain), (Some("HOS"), None));
        let mut host = Host::default();
        host.see_cpu(&[0; 3]);
        assert_eq!(host, Host::default());
    }

    #[test]
    fn the_platform_record_names_the_machine() {
        let payload = utf16("Maker\0Box\x001/2/2003\x007\0");
        let mut host = Host::default();
        host.see_platform(&payload);
        assert_eq!(host.manufacturer.as_deref(), Some("Maker"));
        assert_eq!(host.product.as_deref(), Some("Box"));
        assert_eq!(host.bios_date.as_deref(), Some("1/2/2003"));
        assert_eq!(host.bios_version.as_deref(), Some("7"));
    }
}
