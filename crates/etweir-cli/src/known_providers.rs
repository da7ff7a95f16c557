//! Names of providers that are met often and whose traces do not name them: with its name, a manifest can be looked for.

use etweir::Guid;
use etweir::decode::{Found, Name, Query, SchemaSource};

/// Knows names and no schemas.
pub(crate) struct KnownProviders;

impl SchemaSource for KnownProviders {
    fn find(&self, _: &Query<'_>) -> Found {
        Found::nothing()
    }

    fn provider_name(&self, provider: Guid) -> Option<Name> {
        let place = PROVIDERS.binary_search_by_key(&sort_key(provider), |(id, _)| *id).ok()?;
        PROVIDERS.get(place).map(|(_, name)| Name::Borrowed(name))
    }
}

/// The digits of a GUID as one number.
fn sort_key(guid: Guid) -> u128 {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = guid.to_bytes();
    let [d0, d1, d2, d3, d4, d5, d6, d7] = d;
    u128::from_be_bytes([a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, d2, d3, d4, d5, d6, d7])
}

/// In the order of their GUIDs. Source: Microsoft's published manifests.
#[rustfmt::skip]
static PROVIDERS: [(u128, &str); 43] = [
    (0x0BF2FB94_7B60_4B4D_9766_E82F658DF540, "Microsoft-Windows-Kernel-ShimEngine"),
    (0x15CA44FF_4D7A_4BAA_BBA5_0998955E531E, "Microsoft-Windows-Kernel-Boot"),
    (0x16A1ADC1_9B7F_4CD9_94B3_D8296AB1B130, "Microsoft-Windows-Kernel-AppCompat"),
    (0x17D6E590_F5FE_11DC_95FF_0800200C9A66, "Microsoft-Windows-ApplicationExperience-SwitchBack"),
    (0x18F4A5FD_FD3B_40A5_8FC2_E5D261C5D02E, "Microsoft-Windows-ApplicationExperience-LookupServiceTrigger"),
    (0x1A9443D4_B099_44D6_8EB1_829B9C2FE290, "Microsoft-Windows-PCI"),
    (0x1C95126E_7EEA_49A9_A3FE_A378B03DDB4D, "Microsoft-Windows-DNS-Client"),
    (0x22FB2CD6_0E7B_422B_A0C7_2FAD1FD0E716, "Microsoft-Windows-Kernel-Process"),
    (0x2FF3E6B7_CB90_4700_9621_443F389734ED, "Microsoft-Windows-Kernel-WDI"),
    (0x3635D4B6_77E3_4375_8124_D545B7149337, "Microsoft-Windows-Kernel-WSService-StartServiceTrigger"),
    (0x3AA52B8B_6357_4C18_A92E_B53FB177853B, "Microsoft-Windows-International"),
    (0x43D1A55C_76D6_4F7E_995C_64C711E5CAFE, "Microsoft-Windows-WinINet"),
    (0x5322D61A_9EFA_4BC3_A3F9_14BE95C144F8, "Microsoft-Windows-Kernel-Prefetch"),
    (0x6A86AE90_4E9B_4186_B1D1_9CE0E02BCBC1, "Microsoft-Windows-CsvFs-Diagnostic"),
    (0x6ADDABF4_8C54_4EAB_BF4F_FBEF61B62EB0, "Microsoft-Windows-AIT"),
    (0x6D8A3A60_40AF_445A_98CA_99359E500146, "Microsoft-Windows-ApplicationExperience-Cache"),
    (0x70EB4F03_C1DE_4F73_A051_33D13D5413BD, "Microsoft-Windows-Kernel-Registry"),
    (0x763FD754_7086_4DFE_95EB_C01A46FAF4CA, "Microsoft-Windows-DotNETRuntimePrivate"),
    (0x7D29D58A_931A_40AC_8743_48C733045548, "Microsoft-Windows-SoftwareRestrictionPolicies"),
    (0x7DD42A49_5329_4832_8DFD_43D979153A88, "Microsoft-Windows-Kernel-Network"),
    (0x96AC7637_5950_4A30_B8F7_E07E8E5734C1, "Microsoft-Windows-Kernel-BootDiagnostics"),
    (0x9E3B3947_CA5D_4614_91A2_7B624E0E7244, "Microsoft-IE"),
    (0xA0AF438F_4431_41CB_A675_A265050EE947, "Microsoft-Windows-Kernel-LicensingSqm"),
    (0xA0C1853B_5C40_4B15_8766_3CF1C58F985A, "Microsoft-Windows-PowerShell"),
    (0xA103CABD_8242_4A93_8DF5_1CDF3B3F26A6, "Microsoft-Windows-Kernel-IoTrace"),
    (0xA669021C_C450_4609_A035_5AF59AF4DF18, "Microsoft-Windows-DotNETRuntimeRundown"),
    (0xA68CA8B7_004F_D7B6_A698_07E2DE0F1F5D, "Microsoft-Windows-Kernel-General"),
    (0xA6AD76E3_867A_4635_91B3_4904BA6374D7, "Microsoft-Windows-Kernel-StoreMgr"),
    (0xA8A1F2F6_A13A_45E9_B1FE_3419569E5EF2, "Microsoft-Windows-MUI"),
    (0xB059B83F_D946_4B13_87CA_4292839DC2F2, "Microsoft-Windows-User-Loader"),
    (0xB675EC37_BDB6_4648_BC92_F3FDC74D3CA2, "Microsoft-Windows-Kernel-EventTracing"),
    (0xBFF15E13_81BF_45EE_8B16_7CFEAD00DA86, "Microsoft-Windows-AppModel-State"),
    (0xC514638F_7723_485B_BCFC_96565D735D4A, "Microsoft-Windows-Kernel-Acpi"),
    (0xC7BDE69A_E1E0_4177_B6EF_283AD1525271, "Microsoft-Windows-Kernel-Disk"),
    (0xCC2BCBBA_16B6_4CF3_8990_D74C2E8AF500, "Microsoft-Windows-DotNETRuntimeStress"),
    (0xD1D93EF7_E1F2_4F45_9943_03D245FE6C00, "Microsoft-Windows-Kernel-Memory"),
    (0xD4263C98_310C_4D97_BA39_B55354F08584, "Microsoft-Windows-COM"),
    (0xDD5EF90A_6398_47A4_AD34_4DCECDEF795F, "Microsoft-Windows-HttpService"),
    (0xE13C0D23_CCBC_4E12_931B_D9CC2EEE27E4, "Microsoft-Windows-DotNETRuntime"),
    (0xE7558269_3FA5_46ED_9F4D_3C6E282DDE55, "Microsoft-Windows-UAC"),
    (0xEDD08927_9CC4_4E65_B970_C2560FB5C289, "Microsoft-Windows-Kernel-File"),
    (0xF1EF270A_0D32_4352_BA52_DBAB41E1D859, "Microsoft-Windows-AppModel-Runtime"),
    (0xF5528ADA_BE5F_4F14_8AEF_A95DE7281161, "Microsoft-Windows-Kernel-Licensing-StartServiceTrigger"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_found_by_their_ids() {
        assert!(PROVIDERS.is_sorted_by(|(a, _), (b, _)| a < b));
        let http: Guid = "dd5ef90a-6398-47a4-ad34-4dcecdef795f".parse().expect("a GUID");
        assert_eq!(KnownProviders.provider_name(http).as_deref(), Some("Microsoft-Windows-HttpService"));
        assert_eq!(KnownProviders.provider_name(Guid::ZERO), None);
    }
}
