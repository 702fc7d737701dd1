//! The paper exchange by itself, for scripts that drive it: `serve [--no-limits] [LISTEN]`. Prints a ready line.
#![expect(clippy::print_stdout, reason = "an example")]

use portcullis_paper::{PaperConfig, PaperKey, bind};
use portcullis_wire::Credentials;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let limits = !arguments.iter().any(|argument| argument == "--no-limits");
    let listen = arguments.iter().find(|argument| !argument.starts_with("--"));
    let listen = listen.map_or("127.0.0.1:0", String::as_str).parse()?;
    let credentials = Credentials::new("paper-key", &"paper-secret".to_owned().into());
    let config = PaperConfig {
        limits,
        admin: Some("127.0.0.1:0".parse()?),
        ..PaperConfig::new(listen, vec![PaperKey { credentials, read_only: false }])
    };
    let paper = bind(config).await?;
    let (address, admin) = (paper.address(), paper.admin());
    let admin = admin.map_or_else(String::new, |admin| format!("http://{admin}"));
    println!(r#"{{"type":"ready","rest":"http://{address}","ws":"ws://{address}","admin":"{admin}"}}"#);
    paper.run(std::future::pending()).await?;
    Ok(())
}
