//! The timetable of the demo airport.
//!
//! Routes and types are those that OpenFlights lists for Lomé (`73W` and `73G` as B737, `DH8` as DH8D, `CRJ` as CRJ2).
//! What it lists there as sold but not flown by Ethiopian is flown by ASKY (KP), which has its hub in Lomé. Flight
//! numbers and times are invented, so that a wave at noon fills every civil stand.

use super::random::Random;

/// An arrival and the departure that follows with the same aircraft.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotation {
    pub(super) carrier: &'static str,
    pub(super) operator: &'static str,
    /// Number and origin of the arrival, number and destination of the departure.
    pub(super) legs: [(&'static str, &'static str); 2],
    pub(super) aircraft: &'static str,
    /// Scheduled in-block and off-block, in minutes of the day.
    pub(super) scheduled: [i64; 2],
    /// Who else sells it.
    pub(super) sold_by: &'static [&'static str],
}

const fn at(hour: i64, minute: i64) -> i64 {
    hour * 60 + minute
}

macro_rules! rotations {
    ($($carrier:literal $operator:literal $arrival:literal $from:literal $departure:literal $to:literal $aircraft:literal
        $ih:literal:$im:literal - $oh:literal:$om:literal $([$($sold:literal),*])?;)*) => {
        &[$(Rotation {
            carrier: $carrier,
            operator: $operator,
            legs: [($arrival, $from), ($departure, $to)],
            aircraft: $aircraft,
            scheduled: [at($ih, $im), at($oh, $om)],
            sold_by: &[$($($sold),*)?],
        },)*]
    };
}

/// The rotations of a day, in order of arrival.
#[rustfmt::skip]
#[expect(clippy::zero_prefixed_literal, reason = "minutes are written as on a clock")]
pub(super) const ROTATIONS: &[Rotation] = rotations![
    "ET" "ETH" "915" "LOS" "914" "LOS" "B737"  5:40 -  6:50;
    "KP" "SKK" "21"  "OUA" "30"  "DLA" "B737"  6:20 -  7:40 ["ET 1821"];
    "KP" "SKK" "27"  "ABV" "22"  "ACC" "DH8D"  6:30 -  7:30;
    "KP" "SKK" "23"  "COO" "26"  "LBV" "DH8D"  6:40 -  7:50 ["ET 1823"];
    "KP" "SKK" "41"  "BKO" "40"  "CKY" "B737"  6:50 -  8:10 ["ET 1841"];
    "HF" "VRE" "521" "ABJ" "522" "ABJ" "A319"  7:10 -  8:00;
    "ET" "ETH" "921" "ABJ" "920" "ABJ" "DH8D"  7:30 -  8:30;
    "HF" "VRE" "741" "COO" "742" "COO" "E170"  8:20 -  9:05;
    "KP" "SKK" "51"  "DLA" "52"  "OUA" "DH8D" 10:50 - 12:35 ["ET 1851"];
    "KP" "SKK" "53"  "ABV" "54"  "COO" "DH8D" 10:55 - 12:40;
    "HF" "VRE" "523" "ABJ" "524" "ABJ" "A319" 11:00 - 12:30;
    "KP" "SKK" "55"  "ACC" "56"  "ABV" "DH8D" 11:00 - 12:45;
    "ET" "ETH" "923" "ABJ" "922" "ABJ" "DH8D" 11:05 - 12:40;
    "KP" "SKK" "57"  "CKY" "58"  "DLA" "B737" 11:05 - 12:55 ["ET 1857"];
    "2J" "VBW" "511" "COO" "511" "OUA" "MD87" 11:10 - 12:35;
    "KP" "SKK" "59"  "BKO" "60"  "BKO" "B737" 11:10 - 13:00 ["ET 1859"];
    "ET" "ETH" "917" "LOS" "916" "LOS" "B737" 11:15 - 12:50;
    "AT" "RAM" "535" "CMN" "535" "ACC" "B738" 11:20 - 12:45;
    "2J" "VBW" "531" "OUA" "532" "OUA" "CRJ2" 11:20 - 12:25;
    "KP" "SKK" "61"  "OUA" "62"  "LBV" "B737" 11:20 - 13:10 ["ET 1861"];
    "ET" "ETH" "506" "ADD" "506" "GIG" "B788" 11:25 - 13:05;
    "KP" "SKK" "63"  "LBV" "64"  "CKY" "B737" 11:25 - 13:15 ["ET 1863"];
    "HF" "VRE" "743" "COO" "744" "COO" "E170" 11:30 - 12:35;
    "KP" "SKK" "65"  "COO" "66"  "ACC" "DH8D" 11:30 - 13:00;
    "ET" "ETH" "513" "ADD" "512" "ADD" "B737" 14:30 - 15:40;
    "AF" "AFR" "860" "CDG" "861" "CDG" "A343" 17:35 - 21:10;
    "KP" "SKK" "71"  "ABV" "72"  "COO" "DH8D" 17:40 - 19:00;
    "KP" "SKK" "73"  "DLA" "74"  "OUA" "B737" 17:50 - 19:20 ["ET 1873"];
    "HF" "VRE" "525" "ABJ" "526" "ABJ" "E170" 17:55 - 18:45;
    "KP" "SKK" "75"  "ACC" "76"  "ABV" "DH8D" 18:00 - 19:15;
    "KP" "SKK" "77"  "LBV" "78"  "BKO" "B737" 18:10 - 19:40 ["ET 1877"];
    "KP" "SKK" "79"  "CKY" "80"  "DLA" "B737" 18:20 - 19:50;
    "ET" "ETH" "507" "GRU" "507" "ADD" "B788" 18:30 - 20:30;
    "KP" "SKK" "81"  "OUA" "82"  "LBV" "DH8D" 18:30 - 20:00;
    "HF" "VRE" "745" "COO" "746" "COO" "E170" 18:40 - 19:25;
    "ET" "ETH" "509" "ADD" "508" "ADD" "B788" 18:50 - 20:45;
    "ET" "ETH" "919" "LOS" "918" "LOS" "B737" 19:05 - 20:10;
    "SN" "BEL" "277" "ABJ" "277" "BRU" "A333" 19:40 - 21:05 ["LH 5803", "UA 9949"];
];

/// Rotations that may be cancelled: nothing else of the day hangs on them.
const CANCELLABLE: &[&str] = &["71", "75", "79", "81"];

/// The number of the arrival whose rotation is cancelled on the day.
pub(super) fn cancelled(random: &mut Random) -> &'static str {
    let last = i64::try_from(CANCELLABLE.len()).expect("a short list") - 1;
    let place = usize::try_from(random.between(0, last)).expect("an index");
    CANCELLABLE[place]
}
