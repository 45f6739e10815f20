/** The part of a version that a release raises. */
export type Part = 'major' | 'minor' | 'patch'

export function nextVersion(version: string, part: Part): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (part === 'major') return `${major + 1}.0.0`
  return part === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
}

/** The text of package.json, its lock or Chart.yaml with another version of the gateway's own. Throws where there is none. */
export function withVersion(path: string, text: string, version: string, next: string): string {
  const places = path.endsWith('.yaml')
    ? [`\nversion: ${version}\n`, `\nappVersion: ${version}\n`]
    : [`"version": "${version}"`]
  // The lock file has the version twice before its first package: at the top, and for the project itself.
  const times = path.endsWith('package-lock.json') ? 2 : 1
  let changed = text
  for (const place of places) {
    for (let time = 0; time < times; time++) {
      if (!changed.includes(place)) throw new Error(`${path} does not have ${place.trim()}.`)
      changed = changed.replace(place, place.replace(version, next))
    }
  }
  return changed
}

/** The changelog with what is unreleased as this version's, and a new, empty section above. Throws where there is nothing. */
export function withRelease(changelog: string, version: string, date: string): string {
  if (notesOf(changelog, 'Unreleased').trim() === '') throw new Error('Nothing is unreleased.')
  return changelog.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (${date})\n`)
}

/** What the changelog has of a version; '' where there is nothing. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m)
  const own = sections.find((section) => section.split(/[\s(]/, 1)[0] === version)
  return own === undefined ? '' : `${own.slice(own.indexOf('\n') + 1).trim()}\n`
}
