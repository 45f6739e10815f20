import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Refusal } from '../../../app/api.ts'
import { Dialog, DialogButtons } from '../../../parts/dialog.tsx'
import { type Subject, save } from './save.ts'
import { noValues, type ValueName, type Values } from './values.ts'

/** What the fields of a form need. */
export type Filled = {
  readonly values: Values
  readonly set: (changes: Partial<Values>) => void
  readonly problems: Problems
}

/** By the parameter of the admin API that they are with; those of none by ''. */
export type Problems = Readonly<Record<string, string>>

type FormProps = {
  readonly title: string
  readonly submit: string
  readonly onClose: () => void
  readonly children: (filled: Filled) => ComponentChildren
}

type MakeFormProps = FormProps & {
  /** Rejects with a Refusal. */
  readonly make: (values: Values) => Promise<void>
}

/** Makes a key or a team. */
export function MakeForm({ make, ...rest }: MakeFormProps) {
  const [values, setValues] = useState<Values>(noValues)
  const [refused, setRefused] = useState<Refused>()
  const send = () => make(values).catch((thrown: unknown) => setRefused(refusedBy(thrown)))
  return <Form {...rest} {...{ values, setValues, refused }} send={send} />
}

type EditFormProps = FormProps & { readonly of: Subject; readonly onSaved: () => void }

/** Changes a key or a team. What others change while it is open is neither overwritten nor lost. */
export function EditForm({ of, onSaved, ...rest }: EditFormProps) {
  const [subject, setSubject] = useState(of)
  const [values, setValues] = useState(of.values)
  const [refused, setRefused] = useState<Refused>()
  const send = async () => {
    try {
      const saved = await save(subject, values)
      if (saved.kind === 'saved') return onSaved()
      setSubject(saved.subject)
      setValues(saved.values)
      setRefused({ problems: clashProblems(saved.clashes, saved.subject.values) })
    } catch (thrown) {
      setRefused(refusedBy(thrown))
    }
  }
  return <Form {...rest} {...{ values, setValues, refused }} send={send} />
}

type Refused = { readonly problems: Problems }

function refusedBy(thrown: unknown): Refused {
  if (!(thrown instanceof Refusal)) throw thrown
  const { param = '', message } = thrown
  return {
    problems: { [param]: message.startsWith(`${param}: `) ? message.slice(param.length + 2) : message },
  }
}

function clashProblems(clashes: readonly ValueName[], theirs: Values): Problems {
  const toldOf = (name: ValueName) => {
    const value = theirs[name]
    if (typeof value === 'string') return value === '' ? 'to nothing' : `to ${value}`
    return value.length === 1 ? 'to one budget' : `to ${value.length} budgets`
  }
  return Object.fromEntries(
    clashes.map((name) => [
      name,
      `Somebody changed this meanwhile ${toldOf(name)}. Saving again overwrites it.`,
    ]),
  )
}

type DrawnProps = FormProps & {
  readonly values: Values
  readonly setValues: (change: (before: Values) => Values) => void
  readonly refused: Refused | undefined
  readonly send: () => Promise<void>
}

function Form({ title, submit, onClose, children, values, setValues, refused, send }: DrawnProps) {
  const [isSending, setSending] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const problems = refused?.problems ?? {}
  const set = (changes: Partial<Values>) => setValues((before) => ({ ...before, ...changes }))
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [refused])
  const submitted = (event: SubmitEvent) => {
    event.preventDefault()
    if (isSending) return
    setSending(true)
    void send().finally(() => setSending(false))
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form ref={form} onSubmit={submitted} class="fields">
        {children({ values, set, problems })}
        <p class="problem" role="alert">
          {Object.entries(problems)
            .filter(([param]) => !hasField(param))
            .map(([param, told]) => (param === '' ? told : `${param}: ${told}`))
            .join(' ')}
        </p>
        <DialogButtons onCancel={onClose} isSending={isSending}>
          {submit}
        </DialogButtons>
      </form>
    </Dialog>
  )
}

/** Whether a problem is shown beside its field. */
function hasField(param: string): boolean {
  return Object.hasOwn(noValues, param.split('.')[0] ?? '')
}
