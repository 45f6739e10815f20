import { Failure } from '../../core/model/failure.ts'

/** The error for OpenAI features that this gateway lacks; undefined for anything else. */
export function notImplementedAt(path: string, method: string): Failure | undefined {
  const below = /^(?:\/v1|\/inference(?:\/v1)?|\/openai\/deployments\/[^/]+)\/(.+)$/.exec(path)?.[1]
  const what = below === undefined ? undefined : find(below, method)
  if (what === undefined) return undefined
  return new Failure('not_implemented', `This gateway does not support ${what}.`, {
    // The status alone would make SDKs retry.
    headers: { 'x-should-retry': 'false' },
  })
}

function find(below: string, method: string): string | undefined {
  const found = [...unsupported, ...unsupportedBelow].find(([pattern]) => pattern.test(below))?.[1]
  return (
    found ??
    unsupportedMethods.find(([methods, pattern]) => methods.includes(method) && pattern.test(below))?.[2]
  )
}

/** Unsupported features, by the start of the path below its prefix. */
const unsupported: readonly (readonly [RegExp, string])[] = Object.entries({
  assistants: 'assistants',
  audio: 'audio (speech, transcriptions and translations)',
  batches: 'batches',
  chatkit: 'ChatKit',
  containers: 'containers',
  conversations: 'conversations',
  detokenize: 'decoding tokens',
  edits: 'edits',
  engines: 'engines; name the model in the body',
  evals: 'evals',
  files: 'files',
  fine_tuning: 'fine-tuning',
  'fine-tunes': 'fine-tuning',
  images: 'images',
  moderations: 'moderations',
  organization: 'the administration of organizations',
  projects: 'the administration of projects',
  realtime: 'realtime sessions',
  skills: 'skills',
  threads: 'threads and runs',
  uploads: 'uploads',
  vector_stores: 'vector stores',
  videos: 'videos',
}).map(([start, what]) => [new RegExp(`^${RegExp.escape(start)}(?:/|$)`), what] as const)

/** Unsupported paths below supported ones. Some of them look like the path of a response. */
const unsupportedBelow: typeof unsupported = [
  [/^chat\/completions\/./, 'stored chats'],
  [/^responses\/input_tokens$/, 'counting the tokens of a response; use `/tokenize` for those of a chat'],
  [/^responses\/compact$/, 'the compaction of responses'],
  [/^responses\/[^/]+\/cancel$/, 'background responses, which are the only ones that can be cancelled'],
]

/** Unsupported methods on supported paths. */
const unsupportedMethods: readonly (readonly [methods: readonly string[], path: RegExp, what: string])[] = [
  [['GET', 'HEAD'], /^chat\/completions$/, 'stored chats'],
  [['DELETE'], /^models\/./, 'the deletion of models'],
]
