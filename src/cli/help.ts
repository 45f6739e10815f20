/** What `help` prints, and every command that was not understood. */
export const helpText = `Pandotate Gateway: one OpenAI-compatible URL in front of every open-weight model you run.

  npm start                                  serve on http://localhost:8000
  npm run gateway -- serve                   the same
  npm run gateway -- check                   read the configuration, print what it comes to, keys masked
                  --prices                   with the prices that the providers list at this moment
  npm run gateway -- savings [FILE]          recompute spending and savings from a log (default: standard input)
  npm run gateway -- simulate NAME           serve an upstream's own wire format, for tests and demos:
                                             pandotate, together, baseten or runpod
                     --help                  tells its port, key, prices, limits and slowness
  npm run gateway -- help                    this text

Settings come from the environment, from .env, and from gateway.yaml: see .env.example and gateway.example.yaml.
`
