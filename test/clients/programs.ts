import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type ClientPlace, recipePage, recipes } from '../../src/cli/init/recipes.ts'

/** Where test/deploy/prepare.sh puts programs of other people's. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pandotate-gateway/deploy')

/** What a person works with, and how it is asked one thing without being looked at. */
export type WorkingProgram = {
  /** Of the recipe. */
  readonly id: string
  readonly path: string
  /** The format it speaks, as the record has it. */
  readonly dialect: string
  readonly words: (model: string, prompt: string) => readonly string[]
}

export const programs: readonly WorkingProgram[] = [
  {
    id: 'claude-code',
    path: join(cache, 'programs/node_modules/.bin/claude'),
    dialect: 'messages',
    words: (_model, prompt) => ['-p', prompt],
  },
  {
    id: 'codex',
    path: join(cache, 'programs/node_modules/.bin/codex'),
    dialect: 'responses',
    words: (_model, prompt) => ['exec', '--skip-git-repo-check', prompt],
  },
  {
    id: 'opencode',
    path: join(cache, 'programs/node_modules/.bin/opencode'),
    dialect: 'chat',
    words: (_model, prompt) => ['run', prompt],
  },
  {
    id: 'continue',
    path: join(cache, 'programs/node_modules/.bin/cn'),
    dialect: 'chat',
    words: (_model, prompt) => ['-p', prompt],
  },
  {
    id: 'aider',
    path: join(cache, 'aider/bin/aider'),
    dialect: 'chat',
    words: (model, prompt) => [
      ...['--model', `openai/${model}`, '--message', prompt, '--yes-always', '--no-git'],
      ...['--no-check-update', '--no-analytics', '--no-show-release-notes'],
    ],
  },
]

/** Why it is not run; undefined where it is. */
export function reasonAgainst({ path }: WorkingProgram): string | undefined {
  if (process.env['SHELF'] !== '1') return 'npm run shelf does it'
  return existsSync(path) ? undefined : 'it could not be fetched'
}

/** What docs/clients.md has of them. */
export function recipesPage(): string {
  return recipes.map((recipe) => recipePage(recipe, shown)).join('\n')
}

const shown: ClientPlace = {
  url: 'http://localhost:8000',
  key: 'YOUR_KEY',
  model: 'llama-3.3-70b',
  contextTokens: 65_536,
  outputTokens: 8192,
}
