import dump
import torch
from ignite.engine import Engine, Events, create_supervised_evaluator
from ignite.handlers.mlflow_logger import (
    MLflowLogger,
    OptimizerParamsHandler,
    global_step_from_engine,
)
from ignite.metrics import MeanSquaredError

import mlflow

layer = torch.nn.Linear(1, 1)
torch.nn.init.zeros_(layer.weight)
torch.nn.init.ones_(layer.bias)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)


def step(_, batch):
    optimizer.zero_grad()
    loss = (layer(batch[0]) - batch[1]).pow(2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


rows = [(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5], [1.0]]))] * 3
trainer = Engine(step)
evaluator = create_supervised_evaluator(layer, {"mse": MeanSquaredError()})
logger = MLflowLogger()
logger.log_params({"rate": 0.1})
logger.attach_output_handler(
    trainer,
    Events.ITERATION_COMPLETED,
    tag="training",
    output_transform=lambda loss: {"loss": loss},
)
logger.attach_output_handler(
    evaluator, Events.EPOCH_COMPLETED, tag="checking", metric_names=["mse"],
    global_step_transform=global_step_from_engine(trainer),
)  # fmt: skip
logger.attach(trainer, OptimizerParamsHandler(optimizer), Events.EPOCH_STARTED)
trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(rows))
trainer.run(rows, max_epochs=2)
logger.set_tag("team", "x")
logger.close()
dump.say(runs=dump.runs(), ended=mlflow.active_run() is None)
