import { ask } from '../../app/api.ts'
import { EditForm, MakeForm } from './edit/form.tsx'
import { NameField } from './edit/key-fields.tsx'
import { MoneyFields } from './edit/money-fields.tsx'
import { subjectOf } from './edit/save.ts'
import { changesOf, noValues, type Values } from './edit/values.ts'
import { pathOfTeam, type TeamView } from './wire.ts'

/** Makes a team. */
export function TeamForm({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const make = async (values: Values) => {
    await ask('/admin/api/teams', { method: 'POST', body: changesOf(noValues, values) })
    onMade()
  }
  return (
    <MakeForm title="New team" submit="Make the team" onClose={onClose} make={make}>
      {(filled) => (
        <>
          <NameField filled={filled} placeholder="research" />
          <MoneyFields filled={filled} />
        </>
      )}
    </MakeForm>
  )
}

type EditProps = { readonly of: TeamView; readonly onClose: () => void; readonly onSaved: () => void }

/** Changes a team. Its name is what keys name it by, and stays. */
export function TeamEdit({ of: team, onClose, onSaved }: EditProps) {
  return (
    <EditForm
      title={`Edit ${team.name}`}
      submit="Save"
      of={subjectOf(pathOfTeam(team.id), team)}
      {...{ onClose, onSaved }}
    >
      {(filled) => <MoneyFields filled={filled} />}
    </EditForm>
  )
}
