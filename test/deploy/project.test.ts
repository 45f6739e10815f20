import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { nextVersion, notesOf, withRelease, withVersion } from '../../deploy/release-notes.ts'
import { missingTool, runTool } from './tools.ts'

const workflows = globSync('.github/workflows/*.yml')

describe('the workflows', () => {
  test('are there', () => {
    expect(workflows).toEqual(
      expect.arrayContaining(['.github/workflows/ci.yml', '.github/workflows/release.yml']),
    )
  })

  test.skipIf(missingTool('actionlint'))(
    'actionlint finds nothing in them (skipped where there is none)',
    async () => {
      const words = ['-no-color', '-shellcheck=', '-pyflakes=', ...workflows]
      expect(await runTool('actionlint', words)).toEqual({ code: 0, stdout: '', stderr: '' })
    },
  )

  test.skipIf(missingTool('check-jsonschema')).for([
    ['vendor.github-workflows', ...workflows],
    ['vendor.dependabot', '.github/dependabot.yml'],
    ['vendor.github-issue-forms', '.github/ISSUE_TEMPLATE/bug.yml', '.github/ISSUE_TEMPLATE/feature.yml'],
    ['vendor.github-issue-config', '.github/ISSUE_TEMPLATE/config.yml'],
  ])(
    'are what GitHub takes, and so is the rest: %s (skipped until test/deploy/prepare.sh was run)',
    async ([schema = '', ...paths]) => {
      expect(await runTool('check-jsonschema', ['--builtin-schema', schema, ...paths])).toMatchObject({
        code: 0,
      })
    },
  )

  test('run only scripts and files that are there, and have no more leave than they need', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    for (const path of workflows) {
      const text = readFileSync(path, 'utf8')
      for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g))
        expect(scripts, path).toHaveProperty(script)
      for (const [, file = ''] of text.matchAll(/(?:node|bash) ((?:deploy|test)\/\S+)/g)) {
        expect(existsSync(file), file).toBe(true)
      }
      expect(parse(text).permissions, path).toEqual({ contents: 'read' })
    }
  })
})

describe('a release', () => {
  test.for([
    ['patch', '0.2.1'],
    ['minor', '0.3.0'],
    ['major', '1.0.0'],
  ] as const)('raises the %s part', ([part, expected]) => {
    expect(nextVersion('0.2.0', part)).toBe(expected)
  })

  test.for(['package.json', 'package-lock.json', 'deploy/helm/Chart.yaml'])(
    'finds its version in %s',
    (path) => {
      const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
      const text = readFileSync(path, 'utf8')
      const changed = withVersion(path, text, version, '9.8.7')
      expect(changed.split('9.8.7').length - 1).toBe(path === 'package.json' ? 1 : 2)
      expect(changed.replaceAll('9.8.7', version)).toBe(text)
      expect(() => withVersion(path, text, '0.0.99', '9.8.7')).toThrow('does not have')
    },
  )

  const changelog = '# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.2.0 (2026-11-29)\n\n- Old.\n'

  test('dates the unreleased changes, and adds an empty section above', () => {
    const released = withRelease(changelog, '0.3.0', '2026-12-24')
    expect(notesOf(released, 'Unreleased').trim()).toBe('')
    expect(notesOf(released, '0.3.0')).toBe('- New.\n')
    expect(notesOf(released, '0.2.0')).toBe('- Old.\n')
    expect(notesOf(released, '0.1.0')).toBe('')
    expect(() => withRelease(released, '0.4.0', '2027-01-01')).toThrow('Nothing is unreleased')
  })

  test('has a changelog to take its notes from', () => {
    expect(notesOf(readFileSync('CHANGELOG.md', 'utf8'), 'Unreleased').length).toBeGreaterThan(100)
  })
})

test('the promise of what is stable names things that are there', () => {
  const text = readFileSync('docs/versions.md', 'utf8')
  for (const [, link = ''] of text.matchAll(/\]\(([^)]+)\)/g)) expect(existsSync(`docs/${link}`)).toBe(true)
})

test('the documentation has no link to a file that is not there', () => {
  const broken = globSync('docs/deploy/*.md').flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !existsSync(`docs/deploy/${link}`)),
  )
  expect(broken).toEqual([])
})
