//! The numbers of the levels, opcodes, keywords and channels that every provider has, by their names.
//!
//! Source: payload reference, "Message text"; `winmeta.xml` of the Windows SDK.

use crate::decode::format::{
    standard_channel_name, standard_keyword_names, standard_level_name, standard_opcode_name,
};

/// The number of a standard level, of which the name has the prefix `win:`.
pub(crate) fn level(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|level| standard_level_name(*level) == Some(name))
}

/// The number of a standard opcode, of which the name has the prefix `win:`.
pub(crate) fn opcode(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|opcode| standard_opcode_name(*opcode) == Some(name))
}

/// The number of a channel that no provider defines.
pub(crate) fn channel(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|channel| standard_channel_name(*channel) == Some(name))
}

/// The bit of a standard keyword, of which the name has the prefix `win:`.
pub(crate) fn keyword(name: &str) -> Option<u64> {
    let mut bits = (0..u64::BITS).filter_map(|bit| 1_u64.checked_shl(bit));
    bits.find(|bit| standard_keyword_names(*bit).any(|known| known == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_names_mean_their_numbers() {
        assert_eq!(level("win:LogAlways"), Some(0));
        assert_eq!(level("win:Verbose"), Some(5));
        assert_eq!(level("Verbose"), None);
        assert_eq!(opcode("win:Info"), Some(0));
        assert_eq!(opcode("win:Receive"), Some(240));
        assert_eq!(channel("Security"), Some(10));
        assert_eq!(channel("Shop/Admin"), None);
        assert_eq!(keyword("win:ResponseTime"), Some(0x0001_0000_0000_0000));
        assert_eq!(keyword("win:EventlogClassic"), Some(0x0080_0000_0000_0000));
        assert_eq!(keyword("win:None"), None);
    }
}
