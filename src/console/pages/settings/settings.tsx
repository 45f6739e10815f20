import { useEffect, useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { query } from '../../app/router.ts'
import { Code } from '../../parts/code.tsx'
import { adminCurl } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { agoOf, momentOf } from '../../text/times.ts'

type Plain = string | number | boolean | null

type Setting = {
  readonly place: string
  readonly value: Plain | readonly Plain[]
  readonly secret: boolean
  readonly from: 'file' | 'environment' | 'command line' | 'default'
  readonly file: string | null
  readonly line: number | null
  readonly variable: string | null
}

type Problem = {
  readonly source: string
  readonly line: number | null
  readonly column: number | null
  readonly place: string
  readonly message: string
}

type Answered = {
  readonly data: {
    readonly loaded_at: string
    readonly reloads: { readonly taken: number; readonly refused: number }
    readonly settings: readonly Setting[]
    readonly refusal: { readonly at: string; readonly problems: readonly Problem[] } | null
  }
}

/** The configuration in effect, each value with its source; and why the last reload was refused. */
export function Settings() {
  const answer = useAnswer<Answered>('/admin/api/settings', 10_000)
  const line = Number(query.value.get('line') ?? Number.NaN)
  const [find, setFind] = useState('')
  const [isOwn, setOwn] = useState(false)
  return (
    <>
      <Head title="Settings">
        <label class="check">
          <input
            type="checkbox"
            checked={isOwn}
            onChange={({ currentTarget }) => setOwn(currentTarget.checked)}
          />
          Without defaults
        </label>
        <label>
          <span class="hidden">Find</span>
          <input
            type="search"
            placeholder="Find a setting"
            value={find}
            onInput={({ currentTarget }) => setFind(currentTarget.value)}
          />
        </label>
      </Head>
      <Loaded answer={answer}>
        {({ data }) => (
          <>
            <Refused of={data.refusal} />
            <p class="muted">
              In use since {momentOf(Date.parse(data.loaded_at))} ({agoOf(Date.parse(data.loaded_at))}). Since
              the start {data.reloads.taken} {data.reloads.taken === 1 ? 'reload was' : 'reloads were'} taken
              and {data.reloads.refused} refused. The file, the environment and the command line own all of
              it: this page shows, and changes nothing.
            </p>
            <Sections
              settings={data.settings.filter(
                (one) => isFound(one, find) && (!isOwn || one.from !== 'default'),
              )}
              line={line}
            />
            {data.settings.length === 0 && (
              <Code text={adminCurl('/admin/api/settings')} label="The same in a shell" />
            )}
          </>
        )}
      </Loaded>
    </>
  )
}

function isFound({ place, value, variable }: Setting, find: string): boolean {
  const words = find.toLowerCase()
  return [place, String(value), variable ?? ''].some((text) => text.toLowerCase().includes(words))
}

function Refused({ of: refusal }: { of: Answered['data']['refusal'] }) {
  if (refusal === null) return null
  const columns: readonly Column<Problem>[] = [
    {
      name: 'Where',
      show: ({ source, line, column }) => (
        <code>{[source, line, column].filter((part) => part !== null).join(':')}</code>
      ),
    },
    { name: 'Setting', show: ({ place }) => <code>{place}</code> },
    { name: 'What is wrong', show: ({ message }) => message },
  ]
  return (
    <section class="notice bad" aria-label="The last reload was refused">
      <p>
        <b>The configuration of {momentOf(Date.parse(refusal.at))} was refused.</b> What is shown below is the
        one before it, which is still in use.
      </p>
      <Table
        caption="What is wrong with it"
        columns={columns}
        rows={refusal.problems}
        keyOf={({ source, line, place, message }) => `${source} ${line} ${place} ${message}`}
      />
    </section>
  )
}

function Sections({ settings, line }: { settings: readonly Setting[]; line: number }) {
  useEffect(() => {
    document.querySelector('tr.wanted')?.scrollIntoView({ block: 'center' })
  }, [line])
  const sections = new Map<string, Setting[]>()
  for (const setting of settings) {
    const section = sectionOf(setting.place)
    sections.set(section, [...(sections.get(section) ?? []), setting])
  }
  // A declared section may begin on a line that has no value of its own.
  const wanted = Math.min(...settings.map((setting) => setting.line ?? 0).filter((own) => own >= line))
  if (settings.length === 0) return <p class="muted">There is no such setting.</p>
  return (
    <div class="sections">
      {[...sections].map(([section, rows]) => (
        <Panel key={section} title={<code>{section}</code>}>
          <Table
            caption={section}
            columns={columns}
            rows={rows}
            keyOf={({ place }) => place}
            classOf={(setting) => (setting.line === wanted ? 'wanted' : undefined)}
          />
        </Panel>
      ))}
    </div>
  )
}

/** `limits` of `limits.deadlineMs`; each provider and each model is a section of its own. */
function sectionOf(place: string): string {
  const [first = place] = /^[^.[]+/.exec(place) ?? []
  if (first !== 'providers' && first !== 'models' && first !== 'teams')
    return place === first ? 'general' : first
  return /^(?:providers|models|teams)(?:\.[^.[]+|\["[^"]*"\])/.exec(place)?.[0] ?? first
}

const columns: readonly Column<Setting>[] = [
  {
    name: 'Setting',
    show: ({ place }) => {
      const section = sectionOf(place)
      return <code>{section === 'general' ? place : place.slice(section.length).replace(/^\./, '')}</code>
    },
  },
  { name: 'Value', show: (setting) => <Value of={setting} /> },
  { name: 'From', show: (setting) => <From of={setting} /> },
]

function Value({ of: { value, secret } }: { of: Setting }) {
  if (secret)
    return (
      <>
        <code>{String(value)}</code> <span class="muted small">secret</span>
      </>
    )
  const shown = typeof value === 'object' && value !== null ? value.join(', ') : value
  if (shown === '' || shown === null) return <span class="muted">none</span>
  return <code class="wrap">{typeof shown === 'boolean' ? (shown ? 'true' : 'false') : shown}</code>
}

function From({ of: { from, file, line, variable } }: { of: Setting }) {
  if (from === 'default') return <span class="muted">default</span>
  if (variable !== null) return <code>{variable}</code>
  return <code>{`${file ?? 'the file'}${line === null ? '' : `:${line}`}`}</code>
}
