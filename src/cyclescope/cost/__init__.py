"""What an operation costs: FLOPs and bytes of one ATen call, from shapes alone and without any framework."""
