//! The program that `package` builds against the crates: a model and a question on the command line.
use graft::{Engine, Input, RequestOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, question] = arguments.as_slice() else { return Err("usage: program MODEL QUESTION".into()) };
    let engine = Engine::open(model)?;
    let mut options = RequestOptions::new()?;
    options.greedy(true)?;
    let input = Input::from_chat(&format!(r#"[{{"role": "user", "content": "{question}"}}]"#))?;
    println!("{}", engine.submit(&input, Some(&options))?.into_text()?);
    Ok(())
}
