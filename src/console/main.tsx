import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/base.css'
import './style/calls.css'
import './style/chart.css'
import './style/forms.css'
import './style/frame.css'
import './style/pages.css'
import './style/parts.css'
import { App } from './app/app.tsx'
import { startRouter } from './app/router.ts'
import { loadSession } from './app/session.ts'
import { startTheme } from './app/theme.ts'

startTheme()
startRouter()
void loadSession()
const root = document.querySelector('#console')
if (root !== null) render(<App />, root)
