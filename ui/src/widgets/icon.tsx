// Icons: strokes on a grid of sixteen, in the colour of the text beside them.

const PATHS = {
  user: "M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8zM2.8 13.8c.5-2.6 2.6-4 5.2-4s4.7 1.4 5.2 4",
  users: "M6 7.8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.3c.4-2.4 2.2-3.7 4.5-3.7s4.1 1.3 4.5 3.7M10.6 3a2.4 2.4 0 0 1 0 4.6M12 9.9c1.4.5 2.3 1.7 2.6 3.4",
  flask: "M6 2h4M6.7 2v4L3 12.6A1 1 0 0 0 3.9 14h8.2a1 1 0 0 0 .9-1.4L9.3 6V2M5 10h6",
  box: "M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5L8 8l5.5-3M8 8v6",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM14 14l-3.4-3.4",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3L13 4.5",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  left: "M10 4L6 8l4 4",
  up: "M4 10l4-4 4 4",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  group: "M3 3.5h10M5.5 8H13M5.5 12.5H13M3 8h.01M3 12.5h.01",
  chart: "M2.5 2.5v11h11M4.5 10l3-3.5 2.5 2 3.5-4.5",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 6.3V13",
  split: "M2.5 3h11v10h-11zM8 3v10",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A5.8 5.8 0 0 1 6.5 2.5a5.8 5.8 0 1 0 7 7z",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  pin: "M9.5 2l4.5 4.5-2 .5-3 3-.3 3.3L2.7 7.3 6 7l3-3zM5.5 10.5L2 14",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  hidden: "M2 2l12 12M6.3 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-2 2.5M4.2 5A11 11 0 0 0 1.5 8S4 12.5 8 12.5a6 6 0 0 0 2.6-.6",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9",
  edit: "M10.5 2.5l3 3-8 8H2.5v-3z",
  plus: "M8 3v10M3 8h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  warning: "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.6h.01",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.3V11M8 5h.01",
  download: "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11",
  share: "M5.9 7.1l4.2-2.4M5.9 8.9l4.2 2.4M4 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 5.7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 14.3a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  link: "M6.5 9.5l3-3M7 4.5l1.6-1.6a3 3 0 0 1 4.5 4.3L11.5 9M9 11.5l-1.6 1.6a3 3 0 0 1-4.5-4.3L4.5 7",
  folder: "M2 4h4l1.5 1.8H14V13H2z",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
  sort: "M5 3v10M2.5 10.5L5 13l2.5-2.5M11 13V3M8.5 5.5L11 3l2.5 2.5",
  filter: "M2.5 3.5h11L9.5 8.5v4l-3 1v-5z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.3 1.5",
  compare: "M6 3H2.5v10H6M10 3h3.5v10H10M8 1.5v13",
  keyboard: "M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M4.5 9.5h7",
  tag: "M2.5 2.5h5.5l5.5 5.5-5.5 5.5-5.5-5.5zM5.3 5.3h.01",
  bookmark: "M4 2.5h8v11L8 10.5l-4 3z",
  restore: "M2.5 8a5.5 5.5 0 1 0 1.6-3.9L2.5 5.7M2.5 2.5v3.2h3.2",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  nest: "M3 3v7.5a2 2 0 0 0 2 2h3M3 6.5h5M9.5 4.5h4v4h-4zM9.5 10.5h4v4h-4z",
  expand: "M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
