/** What the page uses of the vendored dagre, which is a script of its own and comes without types. */
declare namespace dagre {
  interface Point {
    x: number;
    y: number;
  }

  interface Handle {
    v: string;
    w: string;
    name?: string;
  }

  interface Spacing {
    nodesep: number;
    ranksep: number;
    edgesep: number;
    marginx: number;
    marginy: number;
    rankdir: "TB" | "BT" | "LR" | "RL";
  }

  /** A label after `layout`: its middle is at `x`, `y`. */
  type Placed<Label> = Label & Point;

  interface Graph<NodeLabel, EdgeLabel> {
    setGraph(spacing: Spacing): void;
    /** The size is there after `layout`. */
    graph(): Spacing & { width: number; height: number };
    setNode(id: string, label: NodeLabel): void;
    setEdge(source: string, target: string, label: EdgeLabel, name: string): void;
    nodes(): string[];
    edges(): Handle[];
    node(id: string): Placed<NodeLabel>;
    edge(handle: Handle): Placed<EdgeLabel> & { points: Point[] };
  }

  const graphlib: { Graph: new <NodeLabel, EdgeLabel>(options: { multigraph: boolean }) => Graph<NodeLabel, EdgeLabel> };

  /** Gives every label its place, in the graph itself. */
  function layout<NodeLabel, EdgeLabel>(graph: Graph<NodeLabel, EdgeLabel>): void;
}
