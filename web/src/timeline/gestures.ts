// Mouse, touch and wheel on the timeline. X and y are from the element's corner.

/** What gestures do. */
export interface Acts {
  pan: (dx: number, dy: number) => void;
  /** A factor below 1 looks closer; x stays where it is. */
  zoom: (factor: number, x: number) => void;
  /** A stretch is being chosen. */
  brush: (from: number, to: number) => void;
  /** A stretch was chosen. */
  select: (from: number, to: number) => void;
  click: (x: number, y: number) => void;
  twice: (x: number) => void;
  hover: (x: number, y: number) => void;
  leave: () => void;
}

// A press that moves less than this is a click.
const SLACK = 4;

/** Listens on an element; what it gives stops that. */
export function gestures(element: HTMLElement, acts: Acts): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let pressed = { x: 0, y: 0 };
  let brushing = false;
  let moved = false;

  const place = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  function down(event: PointerEvent): void {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    // Events made by a program have no pointer that could be captured.
    try {
      element.setPointerCapture(event.pointerId);
    } catch {
      return;
    }
    pressed = place(event);
    pointers.set(event.pointerId, pressed);
    brushing = event.shiftKey && pointers.size === 1;
    moved = pointers.size > 1;
  }

  function move(event: PointerEvent): void {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      acts.hover(now.x, now.y);
      return;
    }
    if (!moved && Math.hypot(now.x - pressed.x, now.y - pressed.y) < SLACK) return;
    if (pointers.size === 2) {
      pinch(event.pointerId, before, now);
    } else if (brushing) {
      acts.brush(Math.min(pressed.x, now.x), Math.max(pressed.x, now.x));
    } else {
      const from = moved ? before : pressed;
      acts.pan(now.x - from.x, now.y - from.y);
    }
    moved = true;
    pointers.set(event.pointerId, now);
  }

  function pinch(id: number, before: { x: number; y: number }, now: { x: number; y: number }): void {
    for (const [otherID, other] of pointers) {
      if (otherID === id) continue;
      const was = Math.max(10, Math.hypot(before.x - other.x, before.y - other.y));
      const is = Math.max(10, Math.hypot(now.x - other.x, now.y - other.y));
      acts.zoom(was / is, (now.x + other.x) / 2);
      acts.pan((now.x - before.x) / 2, 0);
    }
  }

  function up(event: PointerEvent): void {
    if (!pointers.delete(event.pointerId)) return;
    const now = place(event);
    if (!moved) {
      if (event.type === "pointerup") acts.click(now.x, now.y);
    } else if (brushing && event.type === "pointerup") {
      acts.select(Math.min(pressed.x, now.x), Math.max(pressed.x, now.x));
    }
    brushing = false;
    // The other finger of a pinch goes on as a drag, never as a click.
    if (pointers.size === 0) moved = false;
  }

  function wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 20 : 1;
    const dx = event.deltaX * unit;
    const dy = event.deltaY * unit;
    if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      acts.pan(-(dx === 0 ? dy : dx), 0);
    } else if (event.altKey) {
      acts.pan(0, -dy);
    } else {
      // A pinch on a touchpad comes as a wheel with ctrl and small numbers.
      const speed = event.ctrlKey ? 0.01 : 0.0022;
      acts.zoom(Math.exp(Math.max(-150, Math.min(150, dy)) * speed), place(event).x);
    }
  }

  function twice(event: MouseEvent): void {
    acts.twice(place(event).x);
  }

  const stop = new AbortController();
  const options = { signal: stop.signal };
  element.addEventListener("pointerdown", down, options);
  element.addEventListener("pointermove", move, options);
  element.addEventListener("pointerup", up, options);
  element.addEventListener("pointercancel", up, options);
  element.addEventListener("pointerleave", acts.leave, options);
  element.addEventListener("wheel", wheel, { ...options, passive: false });
  element.addEventListener("dblclick", twice, options);
  return () => {
    stop.abort();
  };
}
