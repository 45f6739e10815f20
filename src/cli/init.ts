import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadConfig, readEnvironment } from '../config.ts'
import { providers } from '../providers/all.ts'
import { defineCommand, type Given, UsageError } from './command.ts'
import { type Answers, type FoundProvider, gatewayYaml, knownProviders } from './init/gateway-yaml.ts'
import { type Ask, withQuestions } from './init/questions.ts'
import { type ClientPlace, recipes, recipeText } from './init/recipes.ts'

const clientIds = recipes.map(({ id }) => id)
const providerNames = knownProviders.map(({ name }) => name)

const options = {
  provider: {
    value: 'NAME',
    does: 'a provider to use; may be repeated (default: those whose keys are in the environment)',
    takes: `one of ${providerNames.join(', ')}`,
    read: (text: string) => (providerNames.includes(text) ? text : undefined),
    isRepeatable: true,
  },
  open: { does: 'also serve other machines' },
  port: {
    value: 'N',
    does: 'listen on this port (default 8000)',
    takes: 'a port, from 1 to 65535',
    read: (text: string) =>
      /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined,
  },
  client: {
    value: 'NAME',
    does: 'print the settings of this client; may be repeated, `all` for every client',
    takes: `all, or one of ${clientIds.join(', ')}`,
    read: (text: string) => (text === 'all' || clientIds.includes(text) ? text : undefined),
    isRepeatable: true,
  },
  yes: { does: 'do not ask; use the options and the keys in the environment' },
  force: { does: 'overwrite an existing gateway.yaml' },
} as const

export const init = defineCommand({
  name: 'init',
  does: 'write a gateway.yaml and a key, and print the settings for a client',
  about:
    'Asks for the providers and the client, and whether to serve other machines. Provider keys stay in the environment.',
  options,
  run: ({ options: given }) => initialize(given),
})

const configFile = 'gateway.yaml'
const secretFile = '.env'

async function initialize(given: Given<typeof options>): Promise<number> {
  if (existsSync(configFile) && given.force !== true) {
    throw new UsageError(`${configFile} exists already: --force overwrites it.`)
  }
  const environment = readEnvironment(process.cwd(), process.env)
  const found = knownProviders.filter(({ variables }) => variables.every((name) => environment[name]))
  const isAsking = given.yes !== true && process.stdin.isTTY === true
  const { clients, ...answers } = await withQuestions(isAsking, (ask) => answersOf(given, found, ask))
  const text = gatewayYaml(answers)
  const present = environment['GATEWAY_KEY']
  const key = present || `sk-${randomBytes(24).toString('base64url')}`
  const place = placeOf(answers, text, present ? '$GATEWAY_KEY' : key)
  if (!present) keepKey(key)
  writeFileSync(configFile, text)
  const missing = answers.providers.flatMap(({ variables }) => variables.filter((name) => !environment[name]))
  process.stderr.write(summary(answers, !present, missing))
  for (const recipe of recipes.filter(({ id }) => clients.includes(id))) {
    process.stdout.write(`\n${recipeText(recipe, place)}`)
  }
  return 0
}

/** The answers from the options, and from questions for the rest. */
async function answersOf(
  given: Given<typeof options>,
  found: readonly FoundProvider[],
  ask: Ask,
): Promise<Answers & { readonly clients: readonly string[] }> {
  const names = found.map(({ name }) => name).join(', ') || 'none'
  const where =
    given.provider ??
    listed(await ask(`Which providers do you use? (${providerNames.join(', ')})`, names), providerNames)
  const who =
    given.open === true ||
    /^o/i.test(await ask('Serve this machine alone, or others too? (alone, others)', 'alone'))
  const which =
    given.client ??
    listed(await ask(`Which client do you use? (${clientIds.join(', ')}, all)`, 'openai'), clientIds)
  return {
    providers: knownProviders.filter(({ name }) => where.includes(name)),
    isOpen: who,
    port: given.port ?? 8000,
    clients: which.includes('all') ? clientIds : which,
  }
}

/** The names in an answer. Throws UsageError for an unknown name. */
function listed(answer: string, known: readonly string[]): readonly string[] {
  const names = answer.split(/[\s,]+/).filter((name) => name !== '' && name !== 'none')
  const odd = names.find((name) => name !== 'all' && !known.includes(name))
  if (odd !== undefined) throw new UsageError(`${JSON.stringify(odd)} is not one of ${known.join(', ')}.`)
  return names
}

/** Stores a key in .env, readable only by this user. */
function keepKey(key: string): void {
  const before = existsSync(secretFile)
    ? readFileSync(secretFile, 'utf8').replace(/^GATEWAY_KEY=[^\n]*\n?/gm, '')
    : ''
  const separated = before === '' || before.endsWith('\n') ? before : `${before}\n`
  writeFileSync(secretFile, `${separated}GATEWAY_KEY=${key}\n`, { mode: 0o600 })
  chmodSync(secretFile, 0o600)
}

/** The setup of a client, with the configuration's own models. */
function placeOf({ providers: chosen, port }: Answers, yaml: string, key: string): ClientPlace {
  // Placeholders, because keys may be missing here.
  const names = chosen.flatMap(({ variables }) => variables)
  const environment = Object.fromEntries(
    [...names, 'GATEWAY_KEY'].map((name) => [name, 'a-key-for-reading-it']),
  )
  const { routes } = loadConfig({ environment, readFile: (path) => readOnly(path, yaml), providers })
  // The catalogue's short names, not a provider's own.
  const models = routes.map(({ pattern }) => pattern).filter((pattern) => !/[*/]/.test(pattern))
  const model = models.find((name) => preferred.test(name)) ?? models[0] ?? 'mistral-7b'
  return { url: `http://localhost:${port}`, key, model, contextTokens: 65_536, outputTokens: 8192 }
}

/** Returns the new file for validation. */
function readOnly(path: string, yaml: string): string {
  if (path === configFile) return yaml
  throw Object.assign(new Error(`There is no ${path}.`), { code: 'ENOENT' })
}

/** Models that are good at tool calls, which are preferred. */
const preferred = /llama-3\.3-70b|qwen3?-.*coder|gpt-oss-120b/

function summary({ isOpen, port }: Answers, isNew: boolean, missing: readonly string[]): string {
  const lines = [
    `Wrote ${configFile}.`,
    isNew
      ? `Created a key for callers in ${secretFile}: GATEWAY_KEY.`
      : 'Kept the existing key in GATEWAY_KEY.',
    ...missing.map((name) => `${name} is not set: put it into ${secretFile}, or into the environment.`),
    `Next: \`check\` to see the resolved settings, \`doctor\` to check that all works, \`serve\` to serve on port ${port}.`,
    ...(isOpen
      ? ['Other machines use the address of this machine: replace localhost with it in what follows.']
      : []),
  ]
  return `${lines.join('\n')}\n`
}
