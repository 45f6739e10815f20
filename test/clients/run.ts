import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Client, Program } from './client.ts'
import { clients } from './clients.ts'
import { type Performance, perform } from './perform.ts'
import { detailsOf, legend, rowOf, tableOf } from './table.ts'

// `npm run clients`: runs every client there is here and prints the table; `--write` puts it into the documentation,
// which asks for all of them.

const prepared = spawnSync('bash', [fileURLToPath(new URL('prepare.sh', import.meta.url))], {
  stdio: 'inherit',
})
if (prepared.status !== 0) console.error('What is no package of npm’s could not be fetched.')

type Done = { readonly client: Client; readonly program: Program; readonly performance: Performance }

const done: Done[] = []
const waiting = clients.map((client) => ({ client, program: client.program() }))
const present = waiting.flatMap(({ client, program }) => {
  if (!('missing' in program)) return [{ client, program }]
  console.error(`${titleOf(client)} is skipped: ${program.missing}.`)
  return []
})
const queue = present.values()
await Promise.all([run(), run(), run(), run()])
done.sort((one, other) => clients.indexOf(one.client) - clients.indexOf(other.client))

const table = tableOf(done.map(({ client, performance }) => rowOf(client, performance)))
console.log(table)
const faults = done.flatMap(({ client, performance }) =>
  performance.faults.map((fault) => `${titleOf(client)}: ${fault}`),
)
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else if (process.argv.includes('--write')) write()

/** Takes one after another: each has a gateway and a process of its own, and most of the time waits. */
async function run(): Promise<void> {
  for (const { client, program } of queue) {
    done.push({ client, program, performance: await perform(client, program) })
  }
}

function write(): void {
  if (done.length < clients.length) {
    console.error('Nothing was written: some are missing.')
    process.exitCode = 1
    return
  }
  const details = detailsOf(done.map(({ client, program: { version } }) => ({ ...client, version })))
  replaceIn('docs/clients.md', { clients: table, legend: legend(), details })
}

/** What stands between `<!-- generated: name -->` and the mark that ends it. */
function replaceIn(file: string, parts: Readonly<Record<string, string>>): void {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  let text = readFileSync(path, 'utf8')
  for (const [name, part] of Object.entries(parts)) {
    const pattern = new RegExp(`(<!-- generated: ${name} -->\\n)[\\s\\S]*?(<!-- /generated -->)`)
    if (!pattern.test(text)) throw new Error(`${file} has no place for ${name}`)
    text = text.replace(pattern, (_, start, end) => `${start}${part}\n${end}`)
  }
  writeFileSync(path, text)
}

function titleOf({ name, runs }: Client): string {
  return `${name.replaceAll('`', '')} in ${runs}`
}
