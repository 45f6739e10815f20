import { useAnswer } from '../../app/answer.ts'
import { EditForm } from './edit/form.tsx'
import { ExpiryField, NameField } from './edit/key-fields.tsx'
import { subjectOf } from './edit/save.ts'
import { CallFields } from './key-form.tsx'
import type { KeyView, Listed, TeamView } from './wire.ts'

type EditProps = { readonly of: KeyView; readonly onClose: () => void; readonly onSaved: () => void }

/** Changes a key. */
export function KeyEdit({ of: key, onClose, onSaved }: EditProps) {
  const isForCalls = key.kind === 'inference'
  const teams = useAnswer<Listed<TeamView>>(isForCalls ? '/admin/api/teams' : undefined)
  return (
    <EditForm
      title={`Edit ${key.name || key.label}`}
      submit="Save"
      of={subjectOf(`/admin/api/keys/${key.hash}`, key)}
      {...{ onClose, onSaved }}
    >
      {(filled) => (
        <>
          <NameField filled={filled} />
          <ExpiryField filled={filled} />
          {isForCalls && <CallFields filled={filled} teams={teams.data?.data ?? []} />}
        </>
      )}
    </EditForm>
  )
}
