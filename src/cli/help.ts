/** What `help` prints, and every command that was not understood. */
export const helpText = `Pandotate Gateway: one OpenAI-compatible URL in front of every open-weight model you run.

  npm start                                  serve on http://localhost:8000
  npm run gateway -- serve                   the same
  npm run gateway -- check                   read the configuration, print what it comes to, keys masked
  npm run gateway -- savings [FILE]          recompute spending and savings from a log (default: standard input)
  npm run gateway -- simulate NAME           serve an upstream's own wire format, for tests and demos:
                                             pandotate, together, baseten or runpod
                     --port N                on this port of 127.0.0.1 (default 9000; 0 takes a free one)
                     --key KEY               and refuse every other bearer
  npm run gateway -- help                    this text

Settings come from the environment, from .env, and from gateway.yaml: see .env.example and gateway.example.yaml.
`
