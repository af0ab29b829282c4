//! Versions, opening, tokenizers and templates.
use graft::Tokenizer;

use crate::session::{Session, open};
use crate::table::{Case, joined};
use crate::{Kind, Outcome};

pub fn find(kind: &str) -> Option<Kind> {
    Some(match kind {
        "abi" => |_, _| Ok(graft::abi_version().to_string()),
        "version" => |_, _| Ok(graft::version().to_owned()),
        "doctor" => |_, case| contains(case, graft::doctor()),
        "open" => |_, case| open(case.text("path"), case.get("engine")).map(|_| "ok".into()),
        "inspect" => |_, case| contains(case, graft::Engine::inspect(case.text("path"))),
        "info" => |session, case| contains(case, session.engine(case)?.info()),
        "stats" => |session, case| contains(case, session.engine(case)?.stats()),
        "tokenizer" => |_, case| Ok(format!("vocab={}", Tokenizer::open(case.text("path"))?.vocab_size())),
        "encode" => encode,
        "decode" => |session, case| session.tokenizer()?.decode(&case.numbers("tokens"), case.number("skip", 1) == 1),
        "roundtrip" => roundtrip,
        "piece" => |session, case| session.tokenizer()?.piece(case.number("token", 0)),
        "id_of" => |session, case| Ok(session.tokenizer()?.id_of(case.text("piece"))?.to_string()),
        "decoder" => decoder,
        "template" => |session, case| {
            session.tokenizer()?.apply_chat_template(case.text("messages"), case.get("template_options"))
        },
        _ => return None,
    })
}

fn contains(case: &Case, json: Outcome) -> Outcome {
    Ok(if json?.contains(case.text("contains")) { "yes" } else { "no" }.into())
}

fn encode(session: &Session, case: &Case) -> Outcome {
    Ok(joined(&session.tokenizer()?.encode(case.text("text"), case.number("special", 1) == 1)?))
}

fn roundtrip(session: &Session, case: &Case) -> Outcome {
    let tokenizer = session.tokenizer()?;
    let back = tokenizer.decode(&tokenizer.encode(case.text("text"), false)?, false)?;
    Ok(if back == case.text("text") { "same".into() } else { back })
}

fn decoder(session: &Session, case: &Case) -> Outcome {
    let mut decoder = session.tokenizer()?.decoder(case.number("skip", 1) == 1)?;
    let mut pieces = String::new();
    for token in case.numbers("tokens") {
        pieces += &(decoder.push(token)? + "|");
    }
    Ok(pieces + &decoder.finish()? + "|")
}
