//! Wingspans by ICAO type designator: reference data.
//!
//! Source: FAA, Aircraft Characteristics Database (work of the US government, public domain), the fixed-wing and
//! amphibian types. With winglets or sharklets where the FAA gives that figure, else without; feet × 30.48,
//! rounded to the centimetre.

use super::{AircraftType, Wingspan};

/// The wingspan of a type; `None` if the reference does not know it.
#[must_use]
pub fn wingspan(aircraft_type: &AircraftType) -> Option<Wingspan> {
    let place = WINGSPANS.binary_search_by(|(designator, _)| (*designator).cmp(aircraft_type.as_str())).ok()?;
    WINGSPANS.get(place).map(|(_, centimetres)| Wingspan(*centimetres))
}

/// Designator and centimetres, in the order of the designators.
#[rustfmt::skip]
const WINGSPANS: &[(&str, u32)] = &[
    ("A10", 1753), ("A124", 7330), ("A19N", 3581), ("A20N", 3581), ("A21N", 3581), ("A306", 4484), ("A30B", 4484),
    ("A310", 4389), ("A318", 3411), ("A319", 3581), ("A320", 3581), ("A321", 3581), ("A332", 6029), ("A333", 6029),
    ("A337", 6029), ("A338", 6401), ("A339", 6401), ("A342", 6029), ("A343", 6029), ("A345", 6346), ("A346", 6346),
    ("A359", 6474), ("A35K", 6474), ("A388", 7977), ("A400", 4240), ("A5", 1061), ("AA1", 744), ("AA5", 957),
    ("AC11", 1000), ("AC50", 1494), ("AC56", 1494), ("AC68", 1509), ("AC6L", 1344), ("AC80", 1423), ("AC90", 1588),
    ("AC95", 1588), ("AEST", 1119), ("AN12", 3804), ("AN72", 3188), ("AR11", 1097), ("ASTR", 1606), ("AT3T", 1558),
    ("AT43", 2460), ("AT44", 2460), ("AT45", 2460), ("AT46", 2460), ("AT5T", 1585), ("AT6T", 1707), ("AT72", 2707),
    ("AT73", 2704), ("AT75", 2457), ("AT76", 2704), ("AT8T", 1807), ("B18T", 1402), ("B190", 1768), ("B2", 5243),
    ("B350", 1765), ("B36T", 1021), ("B37M", 3591), ("B38M", 3591), ("B39M", 3591), ("B461", 2633), ("B462", 2633),
    ("B52", 5639), ("B703", 4444), ("B712", 2844), ("B721", 3292), ("B722", 3331), ("B732", 2835), ("B733", 3121),
    ("B734", 2890), ("B735", 2890), ("B736", 3578), ("B737", 3578), ("B738", 3578), ("B739", 3578), ("B741", 5965),
    ("B742", 5965), ("B743", 5965), ("B744", 5965), ("B748", 6840), ("B752", 4109), ("B753", 4109), ("B762", 4758),
    ("B763", 5090), ("B764", 5191), ("B772", 6093), ("B773", 6093), ("B778", 7175), ("B779", 7175), ("B77L", 6465),
    ("B77W", 6480), ("B788", 6014), ("B789", 6014), ("B78X", 6014), ("BA11", 2697), ("BCS1", 3508), ("BCS3", 3508),
    ("BE10", 1399), ("BE18", 1515), ("BE19", 1000), ("BE20", 1661), ("BE23", 1000), ("BE24", 1000), ("BE30", 1765),
    ("BE33", 1021), ("BE35", 1082), ("BE36", 1021), ("BE40", 1326), ("BE50", 1381), ("BE55", 1152), ("BE58", 1152),
    ("BE60", 1198), ("BE65", 1399), ("BE70", 1533), ("BE76", 1158), ("BE77", 914), ("BE80", 1533), ("BE95", 1152),
    ("BE99", 1399), ("BE9L", 1533), ("BE9T", 1661), ("BL17", 1042), ("BL8", 1103), ("BLCF", 6492), ("BT36", 1152),
    ("C120", 1015), ("C130", 4042), ("C140", 1015), ("C150", 1012), ("C152", 1012), ("C160", 3999), ("C162", 914),
    ("C17", 5176), ("C170", 1097), ("C172", 1100), ("C175", 1103), ("C177", 1082), ("C180", 1091), ("C182", 1097),
    ("C185", 1091), ("C188", 1271), ("C195", 1103), ("C206", 1097), ("C207", 1100), ("C208", 1588), ("C210", 1122),
    ("C212", 1899), ("C240", 1100), ("C25A", 1518), ("C25B", 1625), ("C25C", 1548), ("C25M", 1442), ("C303", 1189),
    ("C30J", 4042), ("C310", 1125), ("C320", 1125), ("C335", 1161), ("C340", 1161), ("C402", 1347), ("C404", 1411),
    ("C414", 1347), ("C421", 1347), ("C425", 1347), ("C441", 1503), ("C500", 1436), ("C501", 1436), ("C510", 1317),
    ("C525", 1430), ("C526", 1426), ("C550", 1576), ("C551", 1576), ("C55B", 1591), ("C560", 1649), ("C56X", 1716),
    ("C650", 1631), ("C680", 1923), ("C68A", 2204), ("C700", 2100), ("C72R", 1100), ("C750", 1939), ("C77R", 1082),
    ("C82R", 1097), ("CH7A", 1021), ("CH7B", 1021), ("CL30", 1945), ("CL35", 2100), ("CL41", 1113), ("CL60", 1960),
    ("CN35", 2582), ("COL3", 1100), ("COL4", 1100), ("COUR", 1189), ("CRJ1", 2121), ("CRJ2", 2094), ("CRJ7", 2326),
    ("CRJ9", 2484), ("CRUZ", 878), ("CVLP", 2798), ("CVLT", 3210), ("D328", 2097), ("DA40", 1195), ("DA42", 1356),
    ("DC10", 5038), ("DC3", 2902), ("DC3S", 2743), ("DC3T", 2896), ("DC6", 3581), ("DC87", 4523), ("DC91", 2725),
    ("DC93", 2844), ("DC95", 2847), ("DH8A", 2591), ("DH8B", 2591), ("DH8C", 2743), ("DH8D", 2844), ("DHC2", 1463),
    ("DHC6", 1981), ("DHC7", 2835), ("DV20", 1088), ("E110", 1533), ("E120", 1978), ("E135", 2006), ("E145", 2006),
    ("E170", 2600), ("E190", 2871), ("E195", 2871), ("E290", 3371), ("E295", 3511), ("E35L", 2109), ("E45X", 1999),
    ("E50P", 1228), ("E545", 2024), ("E550", 2027), ("E55P", 1591), ("E75L", 3100), ("E75S", 2871), ("EA50", 1137),
    ("ERCO", 914), ("EVOT", 1128), ("F15", 1305), ("F16", 997), ("F18H", 1231), ("F18S", 1362), ("F22", 1356),
    ("F2TH", 1932), ("F406", 1509), ("F900", 1932), ("FA10", 1308), ("FA20", 1631), ("FA50", 1887), ("FA7X", 2621),
    ("FA8X", 2630), ("FDCT", 856), ("G150", 1695), ("G164", 1289), ("G280", 1920), ("GA5C", 2630), ("GA6C", 2871),
    ("GA7", 1122), ("GALX", 1771), ("GC1", 893), ("GL5T", 2865), ("GL7T", 3179), ("GLEX", 2865), ("GLF2", 2097),
    ("GLF3", 2371), ("GLF4", 2371), ("GLF5", 2850), ("GLF6", 3039), ("H25A", 1433), ("H25B", 1567), ("H25C", 1567),
    ("HA4T", 1884), ("HAWK", 994), ("HDJT", 1216), ("HUSK", 1082), ("IL76", 5051), ("J328", 2097), ("JS31", 1585),
    ("JS32", 1585), ("JS41", 1841), ("K35R", 3987), ("KODI", 1372), ("L29B", 1655), ("L5", 1036), ("L8", 1067),
    ("LA4", 1158), ("LJ23", 1085), ("LJ24", 1085), ("LJ25", 1085), ("LJ31", 1335), ("LJ35", 1204), ("LJ40", 1457),
    ("LJ45", 1457), ("LJ55", 1335), ("LJ60", 1335), ("LJ70", 1551), ("LJ75", 1551), ("LNC4", 994), ("LNP4", 994),
    ("M20P", 1100), ("M20T", 1100), ("M5", 939), ("MD11", 5197), ("MD81", 3289), ("MD82", 3289), ("MD83", 3289),
    ("MD87", 3289), ("MD88", 3289), ("MD90", 3289), ("MU2", 1195), ("MU30", 1326), ("NAVI", 1018), ("P180", 1402),
    ("P210", 1183), ("P28A", 1067), ("P28B", 1067), ("P28R", 1079), ("P28T", 1079), ("P3", 3039), ("P32R", 1103),
    ("P32T", 1103), ("P46T", 1311), ("P51", 1128), ("P68", 1201), ("P750", 1280), ("P8", 3767), ("PA11", 1082),
    ("PA12", 1082), ("PA16", 893), ("PA18", 1076), ("PA20", 893), ("PA22", 893), ("PA23", 1134), ("PA24", 1097),
    ("PA25", 1103), ("PA27", 1134), ("PA30", 1122), ("PA31", 1241), ("PA32", 1103), ("PA34", 1186), ("PA36", 1183),
    ("PA38", 1036), ("PA44", 1177), ("PA46", 1311), ("PAT4", 1301), ("PAY1", 1301), ("PAY2", 1301), ("PAY3", 1454),
    ("PAY4", 1454), ("PC12", 1625), ("PC24", 1701), ("PRM1", 1356), ("R721", 3292), ("R722", 3292), ("RJ1H", 2633),
    ("RJ85", 2633), ("RV12", 817), ("S108", 1033), ("S22T", 1167), ("SB20", 2478), ("SBR1", 1362), ("SBR2", 1362),
    ("SC7", 1978), ("SF34", 2274), ("SF50", 1180), ("SH33", 2277), ("SH36", 2280), ("SR20", 1167), ("SR22", 1167),
    ("SU95", 2780), ("SW3", 1411), ("SW4", 1737), ("T210", 1183), ("T28", 1222), ("T34P", 1015), ("T38", 771),
    ("T6", 1280), ("TAYB", 1097), ("TB20", 997), ("TBM7", 1268), ("TBM8", 1268), ("TBM9", 1283), ("TEX2", 1018),
    ("TOBA", 1000), ("WW24", 1366),
];

#[cfg(test)]
mod tests {
    use super::super::CodeLetter;
    use super::*;

    fn letter(designator: &str) -> Option<CodeLetter> {
        CodeLetter::of(wingspan(&AircraftType::new(designator).unwrap())?)
    }

    #[test]
    fn the_table_is_in_order_so_that_every_type_is_found() {
        assert!(WINGSPANS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (designator, centimetres) in WINGSPANS {
            assert_eq!(wingspan(&AircraftType::new(designator).unwrap()), Some(Wingspan(*centimetres)));
        }
    }

    #[test]
    fn well_known_types_have_their_published_letter() {
        let expected = [("AT76", CodeLetter::C), ("B738", CodeLetter::C), ("B763", CodeLetter::D)];
        let large = [("A333", CodeLetter::E), ("B788", CodeLetter::E), ("A388", CodeLetter::F)];
        for (designator, code) in expected.into_iter().chain(large) {
            assert_eq!(letter(designator), Some(code), "{designator}");
        }
        assert_eq!(letter("ZZZZ"), None);
    }

    #[test]
    fn the_types_that_serve_lome_are_known() {
        for designator in ["A319", "A332", "A333", "A343", "B737", "B738", "B788", "CRJ2", "DH8D", "E170", "MD87"] {
            assert!(letter(designator).is_some(), "{designator}");
        }
    }

    #[test]
    fn the_table_is_the_faa_file() {
        let folder = std::env::var("VIGIE_SHARED_DATA")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned());
        let path = std::path::Path::new(&folder).join("airport/faa_aircraft_characteristics.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: real data not found at {}", path.display());
            return;
        };
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(fields);
        let heads = lines.next().expect("the file has a head");
        let column = |name: &str| heads.iter().position(|head| head == name).expect("the file has the column");
        let (code, class) = (column("ICAO_Code"), column("Class"));
        let spans = [column("Wingspan_ft_with_winglets_sharklets"), column("Wingspan_ft_without_winglets_sharklets")];
        let mut expected: Vec<(String, u32)> = lines
            .filter(|row| row.get(class).is_some_and(|class| class == "Fixed-wing" || class == "Amphibian"))
            .filter_map(|row| {
                let feet: f64 = spans.iter().find_map(|at| row[*at].parse().ok())?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a wingspan in cm is small"
                )]
                let centimetres = (feet * 30.48).round() as u32;
                Some((row[code].clone(), centimetres))
            })
            .collect();
        expected.sort();
        let table: Vec<(String, u32)> = WINGSPANS.iter().map(|(code, cm)| ((*code).to_owned(), *cm)).collect();
        assert_eq!(table, expected);
    }

    /// The fields of a CSV line; quoted ones may hold commas.
    fn fields(line: &str) -> Vec<String> {
        let mut quoted = false;
        let unquoted = |c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        };
        line.split(unquoted).map(|field| field.trim().trim_matches('"').to_owned()).collect()
    }
}
