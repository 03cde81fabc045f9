//! What is a number, and what becomes of documents that have some.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rand_core::Rng as _;
use toml::{Table, Value};

use super::{Grammar, Refusal, float, mistake, rewrite, whole};
use crate::rng::{Rng, Stream, index, stream};

#[test]
fn numbers_are_read_in_all_their_forms() {
    for (text, x) in [
        (".99", 0.99),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("007", 7.0),
        ("10_000", 10_000.0),
        ("+5", 5.0),
        ("1e5", 1e5),
        ("1.5E+3", 1500.0),
        ("2_0.2_5e-0_1", 2.025),
        ("5.e-324", 5e-324),
        ("-0", -0.0),
    ] {
        assert_eq!(float(text).map(f64::to_bits), Ok(f64::to_bits(x)), "{text}");
    }
    for (text, number) in [
        ("1e5", 100_000),
        ("1.5e3", 1500),
        ("1e18", 1_000_000_000_000_000_000),
        ("18446744073709551615", i128::from(u64::MAX)),
        ("1844674407370955161.5e1", i128::from(u64::MAX)),
        ("9_007_199_254_740_993.0", 9_007_199_254_740_993),
        ("12000e-3", 12),
        ("-5.0", -5),
        ("0e99999999999999999999", 0),
        ("0.000", 0),
    ] {
        assert_eq!(whole(text), Ok(number), "{text}");
    }
}

#[test]
fn what_is_no_number_is_told_apart() {
    use Refusal::{Comma, Fraction, Large, NotFinite, Other, Radix, Sign, Underscore};
    for (text, refusal) in [
        ("1,000", Comma),
        ("0,5", Comma),
        ("inf", NotFinite),
        ("-Infinity", NotFinite),
        ("NaN", NotFinite),
        ("0x10", Radix),
        ("0b1", Radix),
        ("−5", Sign),
        ("1e–3", Sign),
        ("_1", Underscore),
        ("1__0", Underscore),
        ("1_.5", Underscore),
        ("1e400", Large),
        ("1.5", Fraction),
        ("1e-3", Fraction),
        ("1e-99999999999999999999", Fraction),
        ("1e99999999999999999999", Large),
        ("1e39", Large),
        ("", Other),
        (".", Other),
        ("+", Other),
        ("e5", Other),
        ("1e", Other),
        ("--5", Other),
        ("10k", Other),
        ("٣", Other),
    ] {
        assert_eq!(whole(text), Err(refusal), "{text}");
        if !matches!(refusal, Fraction) && text != "1e39" && !text.starts_with("1e9") {
            assert_eq!(float(text), Err(refusal), "{text}");
        }
    }
}

/// Beyond an exponent or a point that makes it exact, a float would be another number.
#[test]
fn documents_get_the_forms_of_their_grammar() {
    for (given, expected) in [
        ("a = .99", "a = 0.99"),
        ("a=1.\r\nb = -007 # 007", "a=1.0\r\nb = -7 # 007"),
        ("007 = 007\n[007]\n008.009 = 1.e3", "007 = 7\n[007]\n008.009 = 1.0e3"),
        (
            "a = \"x = .5\"\nb = '''\n\n.5'''''\nc = .5",
            "a = \"x = .5\"\nb = '''\n\n.5'''''\nc = 0.5",
        ),
        ("a = \"\\\"\" # \"\nb = .5", "a = \"\\\"\" # \"\nb = 0.5"),
        (
            "a = [.5, # .5\n [007], {008 = 008, b = 1.}]\n009 = 009",
            "a = [0.5, # .5\n [7], {008 = 8, b = 1.0}]\n009 = 9",
        ),
        ("a = 1979-05-27T07:32:00Z\nb = 07:32:00", "a = 1979-05-27T07:32:00Z\nb = 07:32:00"),
        ("a = 0x10\nb = inf\nc = 1e5\nd = +5", "a = 0x10\nb = inf\nc = 1e5\nd = +5"),
        ("a = 9007199254740993.0\nb = 1e18", "a = 9007199254740993\nb = 1e18"),
        ("a = [1,064]", "a = [1,064]"),
    ] {
        assert_eq!(rewrite(given, Grammar::Toml), expected);
    }
    for (given, expected) in [
        ("[[.5, 1., +5, 007, 1_0.5_0e1_0]]", "[[0.5, 1.0, 5, 7, 10.50e10]]"),
        ("{\".5\": -.5, \"\\\".5\": true}", "{\".5\": -0.5, \"\\\".5\": true}"),
        ("[[1,000]]", "[[1,000]]"),
    ] {
        assert_eq!(rewrite(given, Grammar::Json), expected);
    }
}

#[test]
fn mistakes_are_found_where_they_are() {
    for (text, found) in [
        ("a = \"1,0\"\nb = 1,000", Some((2, "1,000", Refusal::Comma))),
        ("a = [\n64,\n1,064]", Some((3, "064", Refusal::Comma))),
        ("a = [−5]", Some((1, "−5", Refusal::Sign))),
        ("a = nan # −5", Some((1, "nan", Refusal::NotFinite))),
        ("a = [1, .5]\n−5 = true", None),
    ] {
        assert_eq!(mistake(text, Grammar::Toml), found, "{text}");
    }
    assert_eq!(mistake("[[0x1,\n2]]", Grammar::Json), Some((1, "0x1", Refusal::Radix)));
}

fn digits() -> impl Strategy<Value = String> {
    "[0-9]{1,6}(_[0-9]{1,3}){0,2}"
}

/// A number in any form.
fn number() -> impl Strategy<Value = String> {
    let mantissa = prop_oneof![
        digits(),
        digits().prop_map(|whole| whole + "."),
        digits().prop_map(|fraction| format!(".{fraction}")),
        (digits(), digits()).prop_map(|(whole, fraction)| format!("{whole}.{fraction}")),
    ];
    ("[+-]?", mantissa, prop_oneof![3 => "", 1 => "[eE][+-]?[0-9]{1,2}"])
        .prop_map(|(sign, mantissa, exponent)| sign + &mantissa + &exponent)
}

/// Any value of TOML and its text, as another program could write it.
fn toml_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        any::<i64>().prop_map(|i| i.to_string()),
        any::<f64>().prop_map(|x| Value::Float(x).to_string()),
        "(0|[1-9][0-9]{0,3}(_[0-9]{3}){0,3})(\\.[0-9]{1,3}(_[0-9]{1,3})?)?([eE][+-]?[0-9]{1,2})?",
        "0x[0-9a-f]{1,6}|0o[0-7]{1,4}|0b[01]{1,5}|[+-]?inf|[+-]?nan|true|false",
        "1979-0[1-9]-1[0-9](T0[0-9]:32:00(\\.00[1-9])?Z?)?",
        "\"([ -!#-\\[\\]-~é−]|\\\\\"|\\\\n){0,12}\"",
        "'[ -&(-~é−]{0,12}'",
        "\"\"\"([ -!#-\\[\\]-~\n]|\\\\\"|\"[a-z]){0,12}\"{0,2}\"\"\"",
        "'''([ -&(-~\n]|'[a-z]){0,12}'{0,2}'''",
    ];
    let key = prop_oneof!["[0-9a-z_-]{1,4}", "\"[ -!#-\\[\\]-~]{0,5}\""];
    let blank =
        || prop_oneof![3 => Just(""), 1 => Just(" \n"), 1 => Just("# .5, 007\n"), 1 => Just(" ")];
    scalar.prop_recursive(3, 24, 4, move |inner| {
        let list = prop::collection::vec((blank(), inner.clone(), blank()), 0..4);
        let list = list.prop_map(|values| {
            let values: Vec<_> = values.into_iter().map(|(a, v, b)| format!("{a}{v}{b}")).collect();
            format!("[{}]", values.join(","))
        });
        let table = prop::collection::btree_map(key.clone(), inner, 0..3).prop_map(|entries| {
            let entries: Vec<_> = entries.into_iter().map(|(k, v)| format!("{k} = {v}")).collect();
            format!("{{{}}}", entries.join(", "))
        });
        prop_oneof![list, table]
    })
}

/// A document with keys that look like numbers, headers and comments.
fn toml_document() -> impl Strategy<Value = String> {
    let comment = prop_oneof![3 => "", 1 => " # [\\.]5 = '007[\"',]?"];
    let lines = prop::collection::vec((any::<bool>(), toml_value(), comment), 0..8);
    (lines, prop_oneof![Just("\n"), Just("\r\n")]).prop_map(|(lines, end)| {
        let mut text = String::new();
        for (index, (is_header, value, comment)) in lines.into_iter().enumerate() {
            if is_header && index > 2 {
                write!(text, "[00{index}]{comment}{end}").unwrap();
            }
            write!(text, "0{index}.1e5={value}{comment}{end}").unwrap();
        }
        text
    })
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value as Json;
    let scalar = prop_oneof![
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[ -~é−\n\\\\\"]{0,12}".prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
    ];
    scalar.prop_recursive(3, 24, 4, |inner| {
        let key = "[ -~\\\\\"]{0,6}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key, inner, 0..4)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// Are two values the same? NaN is; a float that was made exact is the integer that it was written as.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        (Value::Float(a), Value::Integer(b)) => *a == *b as f64 && a.abs() > 9e15,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Table(a), Value::Table(b)) => tables_alike(a, b),
        _ => a == b,
    }
}

fn tables_alike(a: &Table, b: &Table) -> bool {
    a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_agrees_with_rusts(text in prop_oneof![number(), "\\PC{0,12}", "[-+.eE_0-9,xn]{0,10}"]) {
        if let Ok(x) = text.parse::<f64>() && text.chars().any(|c| c.is_ascii_digit()) {
            match x.is_finite() {
                true => prop_assert_eq!(float(&text).map(f64::to_bits), Ok(x.to_bits())),
                false => prop_assert_eq!(float(&text), Err(Refusal::Large)),
            }
        }
        if let Ok(i) = text.parse::<u64>() {
            prop_assert_eq!(whole(&text), Ok(i128::from(i)));
        }
        if let Ok(i) = whole(&text) {
            // To the last bit, or for zeros but for the sign.
            prop_assert_eq!(float(&text), Ok(i as f64));
        }
    }

    #[test]
    fn numbers_of_all_forms_are_taken_in_files(text in number()) {
        let x = float(&text);
        prop_assume!(x.is_ok());
        let x = x.unwrap();
        let table: Table = rewrite(&format!("a = [{text}]"), Grammar::Toml).parse().unwrap();
        match &table["a"][0] {
            Value::Float(found) => prop_assert_eq!(found.to_bits(), x.to_bits()),
            found => prop_assert_eq!(found.as_integer().map(i128::from), whole(&text).ok()),
        }
        let json = format!("[{text}]");
        let found: Vec<f64> = serde_json::from_str(&rewrite(&json, Grammar::Json)).unwrap();
        prop_assert!((found[0] - x).abs() <= 4.0 * f64::EPSILON * x.abs(), "{text}: {}", found[0]);
    }

    #[test]
    fn toml_keeps_its_meaning(text in toml_document()) {
        let Ok(before) = text.parse::<Table>() else { return Ok(()) };
        let rewritten = rewrite(&text, Grammar::Toml);
        let after: Result<Table, _> = rewritten.parse();
        prop_assert!(after.is_ok(), "{text}\n{rewritten}");
        prop_assert!(tables_alike(&before, &after.unwrap()), "{text}\n{rewritten}");
    }

    #[test]
    fn json_keeps_its_meaning(value in json_value(), is_pretty in any::<bool>()) {
        let text = if is_pretty { format!("{value:#}") } else { value.to_string() };
        // Nothing of it is in a form that JSON does not know.
        prop_assert_eq!(rewrite(&text, Grammar::Json), text.as_str());
    }
}

/// Most documents of the property above must be TOML, or it would say nothing.
#[test]
fn most_random_documents_are_toml() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let documents = toml_document();
    let is_toml = |_: &usize| {
        let text = documents.new_tree(&mut runner).unwrap().current();
        text.parse::<Table>().is_ok()
    };
    let taken = (0..500).filter(is_toml).count();
    assert!(taken > 250, "{taken} of 500");
}

/// What mutations start from, and what they put in.
const ORIGINALS: [&str; 6] = [
    "preset = \"sac\" # .5\n[training]\nsteps = 1e3\n007 = [1_0, +5, 0.5e-1] # 1,0\n",
    "a = '''\n.5'''\nb = { 007 = 1.0, c = [\"\\\"\", +5, # 1,0\n -5] }\nd = 07:32:00\n",
    "preset = \"sac\"\n[training]\nsteps = 1e3\nseed = 007\n[agent]\ngamma = .99\nhidden = [64, 1e2]\n",
    "a = '''\n.5'''\nb = { 007 = 1., c = [\"\\\"\", +5, # 1,0\n −5] }\n",
    "[[.5, 1.], [\"\\u00e9\", {\"a\": -007}], 10_000]",
    "presets = [\"sac\"]\nseeds = { first = 1e2, count = 3. }\n[random]\ntrials = 0_1\n",
];
const PIECES: [&str; 20] = [
    "\"", "'", "\"\"\"", "'''", "\n", "#", "=", ",", "[", "]", "{", "}", ".", "007", "1e5", "−",
    "é", "\\", "_", "\r\n",
];

fn mutate(text: &str, rng: &mut Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=index(rng, 4) {
        let at = index(rng, characters.len() + 1);
        let end = (at + index(rng, 3)).min(characters.len());
        let piece = PIECES[index(rng, PIECES.len())];
        match rng.next_u32() % 3 {
            0 => drop(characters.splice(at..end, [])),
            1 => drop(characters.splice(at..end, piece.chars())),
            _ => drop(characters.splice(at..at, piece.chars())),
        }
    }
    characters.into_iter().collect()
}

/// No panic, no other lines, and what was TOML means the same.
#[test]
fn mutated_documents_do_no_harm() {
    const COUNT: usize = 20_000;
    let mut rng = stream(20_261_201, Stream::Evaluation);
    let (mut taken, mut rescued) = (0, 0);
    for count in 0..COUNT {
        let text = mutate(ORIGINALS[count % ORIGINALS.len()], &mut rng);
        for grammar in [Grammar::Toml, Grammar::Json] {
            let rewritten = rewrite(&text, grammar);
            assert_eq!(rewritten.matches('\n').count(), text.matches('\n').count(), "{text:?}");
            assert_eq!(rewrite(&rewritten, grammar), rewritten, "{text:?}");
            mistake(&text, grammar);
        }
        let after = rewrite(&text, Grammar::Toml).parse::<Table>();
        match text.parse::<Table>() {
            Ok(before) => {
                assert!(after.is_ok_and(|after| tables_alike(&before, &after)), "{text:?}");
                taken += 1;
            }
            Err(_) => rescued += usize::from(after.is_ok()),
        }
    }
    println!("{taken} were TOML, {rescued} became TOML, of {COUNT}");
    assert!(taken > 500 && rescued > 500, "{taken}, {rescued}");
}
