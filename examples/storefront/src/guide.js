// The guide at the top of the page, which marks the next step.

const steps = [...document.querySelectorAll('#guide li')]

/** Advances to a step, never back. */
export function step(name) {
  const next = steps.findIndex((item) => item.dataset.step === name)
  if (next > current()) mark(next)
}

/** Marks the last step as done, if it is the next one. */
export function finish() {
  if (current() === steps.length - 1) mark(steps.length)
}

/** Goes back to the first step. */
export function begin() {
  mark(0)
}

function current() {
  const marked = steps.findIndex((item) => item.ariaCurrent === 'step')
  return marked < 0 ? steps.length : marked
}

function mark(next) {
  steps.forEach((item, index) => {
    item.ariaCurrent = index === next ? 'step' : null
    item.classList.toggle('done', index < next)
    item.querySelector('.state').textContent = index < next ? ' (done)' : ''
  })
  document.querySelector('#next').hidden = next < steps.length
}
