import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nextVersion, notesOf, type Part, withRelease, withVersion } from './release-notes.ts'

// Makes a release: `npm run release -- minor` or `patch`. The workflow runs it with --check and --notes and a tag.
const repository = fileURLToPath(new URL('..', import.meta.url))
const files = ['package.json', 'package-lock.json', 'deploy/helm/Chart.yaml', 'CHANGELOG.md'] as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'string' }, notes: { type: 'string' } },
})

if (values.check !== undefined) check(values.check)
else if (values.notes !== undefined)
  process.stdout.write(notesOf(read('CHANGELOG.md'), values.notes.slice(1)))
else release(positionals[0])

function release(part: string | undefined): void {
  if (part !== 'patch' && part !== 'minor' && part !== 'major') fail('Say which part: patch, minor or major.')
  if (git('status', '--porcelain') !== '') fail('There are changes that are not committed.')
  if (git('rev-parse', '--abbrev-ref', 'HEAD') !== 'main') fail('A version is made on main.')
  const { version } = JSON.parse(read('package.json'))
  const next = nextVersion(version, part satisfies Part)
  const today = new Date().toISOString().slice(0, 10)
  for (const path of files) {
    const text = read(path)
    write(
      path,
      path === 'CHANGELOG.md' ? withRelease(text, next, today) : withVersion(path, text, version, next),
    )
  }
  git('commit', '--quiet', '--message', `release: make ${next}`, ...files)
  git('tag', '--annotate', `v${next}`, '--message', `v${next}`)
  process.stdout.write(`v${next} is tagged. git push --follow-tags publishes it.\n`)
}

/** That the tag, the package, the chart and the changelog name the same version. */
function check(tag: string): void {
  const version = tag.replace(/^v/, '')
  const { version: ofPackage } = JSON.parse(read('package.json'))
  if (ofPackage !== version) fail(`package.json has ${ofPackage}, the tag is ${tag}.`)
  if (!read('deploy/helm/Chart.yaml').includes(`\nappVersion: ${version}\n`))
    fail('The chart has another version.')
  if (notesOf(read('CHANGELOG.md'), version).trim() === '') fail(`CHANGELOG.md has nothing of ${version}.`)
}

function read(path: string): string {
  return readFileSync(`${repository}/${path}`, 'utf8')
}

function write(path: string, text: string): void {
  writeFileSync(`${repository}/${path}`, text)
}

function git(...words: readonly string[]): string {
  return execFileSync('git', [...words], { cwd: repository, encoding: 'utf8' }).trim()
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
